// Part 5: what belongs to a connection takes its link: packets from the internet, ICMP errors both
// ways, and traceroute.

import type { Family } from '../model/table.ts';
import { type Figures, parseHops } from './demo-parse.ts';
import { clientOf, type Stayed, urlOf } from './demo-shares.ts';
import type { Background, Stage } from './demo-stage.ts';
import { readCounter, watchConnection } from './demo-watch.ts';
import { type Isp, internet } from './topology.ts';

export async function showPaths(stage: Stage, stayed: Stayed): Promise<void> {
  stage.part(5, 'What belongs to a connection takes its link');
  const [first, second] = stage.lab.isps as [Isp, Isp];
  const client = clientOf(stage, stayed, second.ipv4.address);
  await showIdle(stage, client, second);
  await showTooBig(stage, client, second);
  for (const isp of [first, second])
    await showTrace(stage, 4, { isp, client: clientOf(stage, stayed, isp.ipv4.address) });
  await stage.on('director', 'lvsj ipvsadm -E -f 1 -6 -s wlc -p 300');
  await showTrace6(stage);
}

/** The server speaks on an idle connection; then the client's firewall answers with an ICMP error. */
async function showIdle(stage: Stage, client: string, isp: Isp): Promise<void> {
  const held = stage.start('lan', `curl -sN --interface ${client} ${urlOf(4)}hold`);
  await stage.until('a connection on hold', () => held.said().includes('\n') || !held.running());
  const [address, port] = held.said().trim().split(' ');
  stage.check('an idle connection from', address, isp.ipv4.address);
  await watchConnection(stage, Number(port));
  await speak(stage, held, 'first');
  // The client's answer to that is an acknowledgement.
  const answered = () => readCounter(stage, 'from_lan').then((seen) => sum(seen) > 0);
  await stage.until('an answer on any link', answered);
  await judgeLink(stage, 'its packets from the internet, by ISP', 'to_lan', isp);
  await judgeLink(stage, "the client's answers, by ISP", 'from_lan', isp);
  const reject = (verb: string) =>
    stage.on(
      'lan',
      `iptables ${verb} INPUT -d ${client} -p tcp --sport 80 -j REJECT --reject-with icmp-port-unreachable`,
    );
  await reject('-A');
  await stage.on('internet', say('second'));
  const refused = () => readCounter(stage, 'errors').then((seen) => sum(seen) > 0);
  await stage.until('an ICMP error on any link', refused);
  await judgeLink(stage, 'ICMP errors about it from the LAN, by ISP', 'errors', isp);
  await reject('-D');
  await stage.until('the repeated packet', () => held.said().includes('second'));
  stage.check('what the client heard', held.said().trim().split('\n').slice(1), [
    'first',
    'second',
  ]);
  await held.stop();
}

const say = (text: string): string => `curl -s '${urlOf(4)}say?text=${text}'`;

async function speak(stage: Stage, held: Background, text: string): Promise<void> {
  await stage.on('internet', say(text));
  await stage.until(`"${text}" on the LAN`, () => held.said().includes(text));
}

const sum = (figures: Figures): number => Object.values(figures).reduce((a, b) => a + b, 0);

/** All of the counted packets, and at least one, went by this ISP. */
async function judgeLink(stage: Stage, what: string, counter: string, isp: Isp): Promise<void> {
  const seen = await readCounter(stage, counter);
  const text = Object.entries(seen).map(([host, packets]) => `${host} ${packets}`);
  const own = seen[isp.host] ?? 0;
  stage.judge(what, text.join(', '), own > 0 && own === sum(seen));
}

/** An ISP with a smaller MTU says so: without that message big packets would vanish for ever. */
async function showTooBig(stage: Stage, client: string, isp: Isp): Promise<void> {
  await stage.on(isp.host, 'ip link set eth1 mtu 1300');
  const ping = `ping -n -c 1 -W 3 -M do -s 1400 -I ${client} ${internet.ipv4[0]}`;
  stage.say(`lan# ${ping}`);
  // Its status is 1, for a ping that was not answered.
  const { stdout } = await stage.tryQuietly('lan', ping);
  stage.say(stdout.trimEnd());
  const [, router, mtu] = /From (\S+) .*Frag needed.*mtu = (\d+)/.exec(stdout) ?? [];
  stage.check(
    'ICMP "fragmentation needed" to the LAN',
    { from: router, mtu },
    {
      from: isp.ipv4.gateway,
      mtu: '1300',
    },
  );
  await stage.on(isp.host, 'ip link set eth1 mtu 1500');
}

async function showTrace(
  stage: Stage,
  family: Family,
  { client, isp }: { client: string; isp: Isp },
): Promise<void> {
  const to = family === 4 ? internet.ipv4[0] : internet.ipv6[0];
  const options = `-n -q 1 -w 3${family === 6 ? ' -6' : ''}`;
  const output = await stage.on('lan', `traceroute ${options} -s ${client} ${to}`);
  const own = stage.lab.hosts.find(({ host }) => host === 'director')!.addresses;
  const lan = own.filter(({ link }) => link === 'eth0').map(({ address }) => address.split('/')[0]);
  const gateway = family === 4 ? isp.ipv4.gateway : isp.ipv6.gateway;
  stage.check('hops', parseHops(output), [lan[family === 4 ? 0 : 1], gateway, to]);
}

/** The IPv6 clients have no gateway yet: a connection of each says which it is. */
async function showTrace6(stage: Stage): Promise<void> {
  for (const client of stage.lab.clients.ipv6.slice(10, 12)) {
    const seen = await stage.on('lan', `curl -s --interface ${client} '${urlOf(6)}'`);
    const isp = stage.lab.isps.find(({ ipv6 }) => ipv6.address === seen.trim());
    stage.judge('its ISP', isp?.host ?? 'none', isp !== undefined);
    if (isp) await showTrace(stage, 6, { client, isp });
  }
}
