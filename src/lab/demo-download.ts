// Part 4: a download goes on whatever happens to its service, and needs no process of ours.

import { UserError } from '../util/error.ts';
import type { Counts } from './client-connect.ts';
import type { Download } from './client-download.ts';
import { parseConnections, parseListing } from './demo-parse.ts';
import { clientOf, connectCommand, type Stayed, urlOf } from './demo-shares.ts';
import type { Background, Stage } from './demo-stage.ts';
import { listProcesses } from './processes.ts';
import type { Isp } from './topology.ts';

const bytes = 50_000_000;

export async function showDownload(stage: Stage, stayed: Stayed): Promise<void> {
  stage.part(4, 'A download while its services are edited, and no process of ours lives');
  // By the second ISP: by the first a packet would also go without a director.
  const [other, own] = stage.lab.isps as [Isp, Isp];
  const client = clientOf(stage, stayed, own.ipv4.address);
  const download = await startDownload(stage, client);
  const gateways = await editServices(stage, client, [own, other]);
  await showDrained(stage, own, other);
  showProcesses(stage);
  const running = download.running();
  stage.judge('after all that the download is', running ? 'running' : 'over already', running);
  await concludeDownload(stage, download, own);
  gateways.push(await gatewayOf(stage, client));
  const seen = `the connection's gateway, ${gateways.length} times in -Lnc`;
  stage.check(seen, [...new Set(gateways)], [own.ipv4.gateway]);
  await stage.on('director', `lvsj ipvsadm -e -f 1 -r ${own.ipv4.gateway} -j -w 1`);
}

/** So slow that it outlasts twice the commands that come. */
async function startDownload(stage: Stage, client: string): Promise<Background> {
  const seconds = Math.min(Math.max((stage.usualMs() * 40) / 1000, 5), 240);
  const query = `n=${bytes}&rate=${Math.round(bytes / seconds)}`;
  const download = stage.start(
    'lan',
    `node src/lab/client.ts download --url '${urlOf(4)}bytes?${query}' --from ${client} --timeout 15`,
  );
  const started = (): boolean => download.complained() !== '' || !download.running();
  await stage.until('start of the download', started);
  return download;
}

/** Edits everything that is not its gateway, then drains that; returns where the connection was each time. */
async function editServices(
  stage: Stage,
  client: string,
  [own, other]: [Isp, Isp],
): Promise<string[]> {
  const [its, another] = [own.ipv4.gateway, other.ipv4.gateway];
  const edits = [
    '-E -f 1 -s rr -p 300',
    `-e -f 1 -r ${another} -j -w 9`,
    `-d -f 1 -r ${another}`,
    `-a -f 1 -r ${another} -j -w 2`,
    '-A -f 2 -s sh',
    `-a -f 2 -r ${its} -j`,
    '-D -f 2',
    '-E -f 1 -s wlc -p 300',
    `-e -f 1 -r ${its} -j -w 0`,
  ];
  const gateways = [await gatewayOf(stage, client)];
  for (const edit of edits) {
    await stage.on('director', `lvsj ipvsadm ${edit}`);
    gateways.push(await gatewayOf(stage, client));
  }
  return gateways;
}

/** The gateway of the client's newest connection, once all others have ended: the last of them may take a moment. */
async function gatewayOf(stage: Stage, client: string): Promise<string> {
  let gateways: string[] = [];
  await stage.until(`one connection of ${client}`, async () => {
    const listing = await stage.quietly('director', 'lvsj ipvsadm -Lnc');
    const all = parseConnections(listing).filter((known) => known.client === client);
    const tcp = all.filter(({ protocol }) => protocol === 'TCP');
    const open = tcp.filter(({ state }) => state !== 'TIME_WAIT');
    gateways = (open.length > 0 ? open : tcp).map(({ gateway }) => gateway);
    return open.length <= 1;
  });
  return gateways[0] ?? 'no connection';
}

async function showDrained(stage: Stage, own: Isp, other: Isp): Promise<void> {
  const listing = parseListing(await stage.on('director', 'lvsj ipvsadm -Ln -f 1'));
  const drained = listing[0]?.gateways.find(({ address }) => address === own.ipv4.gateway);
  stage.check('drained: weight and active connections', drained?.words.slice(1, 3), ['0', '1']);
  const fresh = connectCommand(4, stage.lab.clients.ipv4.slice(20, 24), '--count 20');
  const seen = JSON.parse(await stage.on('lan', fresh)) as Counts;
  stage.check('connections of other clients meanwhile', seen, { [other.ipv4.address]: 20 });
}

/** There is none to kill: each command has ended, and all that is left is in the kernel. */
function showProcesses(stage: Stage): void {
  const found = stage.lab.hosts.flatMap(({ host, namespace }) =>
    listProcesses(`/run/netns/${namespace}`).map((command) => ({ host, command })),
  );
  for (const { host, command } of found) stage.say(`          a process on ${host}: ${command}`);
  const on = (host: string): number => found.filter((known) => known.host === host).length;
  stage.check('processes on the director', on('director'), 0);
  const ours = found.filter(({ command }) => command.includes('cli/main.ts'));
  stage.check('processes of lvsj on any host', ours.length, 0);
}

async function concludeDownload(stage: Stage, download: Background, own: Isp): Promise<void> {
  const { status, stdout, stderr } = await download.result;
  if (status !== 0) throw new UserError(`the download ended with ${status}: ${stderr.trim()}`);
  stage.say(stdout.trim());
  const result = JSON.parse(stdout) as Download;
  const whole = result.ok && result.bytes === bytes;
  stage.judge('bytes that came, each the right one', `${result.bytes} of ${bytes}`, whole);
  stage.check('the address that the server saw', result.address, own.ipv4.address);
}
