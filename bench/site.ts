// The labs between whose ends the whole path is measured: one with a plain gateway, one with a director.

import { fileURLToPath } from 'node:url';
import { DirectorMaps } from '../src/kernel/maps.ts';
import { Program } from '../src/kernel/program.ts';
import { inHost, labDown, labList, labUp } from '../src/lab/lab.ts';
import { type Lab, namespaceOf, planLab } from '../src/lab/topology.ts';
import { run } from '../src/util/run.ts';
import { udpFrame } from './packet.ts';

const lvsj = fileURLToPath(new URL('../lvsj', import.meta.url));
const fwmark = 1;

/** A way from the clients to the ISPs. */
export interface Site {
  name: string;
  /** Where the sender is started, and by what link it sends. */
  lab: string;
  link: string;
  frame: Buffer;
  /** The maps of the director that is passed, if one is. */
  director?: DirectorMaps;
}

const ownName = /^bench-(\d+)-/;
export const labName = (name: string): string => `bench-${process.pid}-${name}`;

/** Takes down the labs of this run; of earlier ones too, if those were killed. */
export async function clearLabs(): Promise<void> {
  for (const { name } of labList()) {
    const pid = Number(ownName.exec(name)?.[1]);
    if (pid === process.pid || (pid && !isAlive(pid))) await labDown(name);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function linkAddress(namespace: string, link: string): string {
  const shown = run(['ip', '-n', namespace, '-json', 'link', 'show', 'dev', link]);
  const [found] = JSON.parse(shown) as { address: string }[];
  return found?.address ?? '';
}

/** Programs where packets end: at the clients and at each ISP. */
export interface Sinks {
  isp: Program;
  client: Program;
}

function attachSink(program: Program, namespace: string, link: string): void {
  const { id } = program.info;
  const path = `/sys/fs/bpf/lvsj-bench-${process.pid}`;
  run(['tc', '-n', namespace, 'qdisc', 'add', 'dev', link, 'clsact']);
  run(['bpftool', 'prog', 'pin', 'id', String(id), path]);
  try {
    // Not `tc -n`, which hides the pin: it gives itself a fresh /sys.
    const enter = ['nsenter', `--net=/run/netns/${namespace}`];
    const filter = ['tc', 'filter', 'add', 'dev', link, 'ingress'];
    run([...enter, ...filter, 'bpf', 'da', 'object-pinned', path]);
  } finally {
    run(['rm', '-f', path]);
  }
}

/** Nobody asks for a neighbour in the middle of a measurement. */
function fixNeighbours(lab: Lab): void {
  const director = namespaceOf(lab.name, 'director');
  const lan = linkAddress(namespaceOf(lab.name, 'lan'), 'eth0');
  const clients = lab.clients.ipv4.map((address) => `${address} lladdr ${lan} dev eth0`);
  const isps = lab.isps.map(({ host, link, ipv4 }) => {
    const address = linkAddress(namespaceOf(lab.name, host), 'eth0');
    return `${ipv4.gateway} lladdr ${address} dev ${link}`;
  });
  const lines = [...clients, ...isps].map((line) => `neigh replace ${line} nud permanent\n`);
  run(['ip', '-n', director, '-batch', '-'], { input: lines.join('') });
}

/** The director's own NAT, as any gateway has it, and with `mark` the recipe's marking of new connections. */
function setUpNat(lab: Lab, mark: boolean): void {
  const nat = lab.isps.map(({ link }) => `    oifname "${link}" masquerade`);
  const script = [
    'table ip bench {',
    '  chain prerouting {',
    '    type filter hook prerouting priority mangle;',
    ...(mark ? [`    iifname "eth0" ct state new meta mark set ${fwmark}`] : []),
    '  }',
    '  chain postrouting {',
    '    type nat hook postrouting priority srcnat;',
    ...nat,
    '  }',
    '}',
    '',
  ];
  run(inHost(lab.name, 'director', ['nft', '-f', '-']), { input: script.join('\n') });
}

async function makeLab(name: string, isps: number, sinks: Sinks): Promise<Lab> {
  const lab = planLab({ name: labName(name), isps });
  await labUp(lab);
  fixNeighbours(lab);
  attachSink(sinks.client, namespaceOf(lab.name, 'lan'), 'eth0');
  for (const { host } of lab.isps) attachSink(sinks.isp, namespaceOf(lab.name, host), 'eth0');
  return lab;
}

function siteOf(name: string, lab: Lab): Site {
  const to = linkAddress(namespaceOf(lab.name, 'director'), 'eth0');
  return { name, lab: lab.name, link: 'eth0', frame: udpFrame({ to }) };
}

/** The kernel's own gateway: conntrack, SNAT and one uplink. */
export async function makePlain(sinks: Sinks): Promise<Site> {
  const lab = await makeLab('plain', 1, sinks);
  setUpNat(lab, false);
  return siteOf('plain gateway', lab);
}

/**
 * The same with one policy rule that matches nothing: what the kernel asks of every router with a
 * second uplink, whoever shares the packets out.
 */
export async function makeRuled(sinks: Sinks): Promise<Site> {
  const lab = await makeLab('ruled', 1, sinks);
  setUpNat(lab, false);
  const rule = ['rule', 'add', 'pref', '100', 'fwmark', '0xff', 'lookup', '99'];
  run(['ip', '-n', namespaceOf(lab.name, 'director'), ...rule]);
  return siteOf('plain gateway with a rule', lab);
}

/** The same as the first with a director and two uplinks. */
export async function makeOurs(sinks: Sinks): Promise<Site> {
  const lab = await makeLab('ours', 2, sinks);
  setUpNat(lab, true);
  const ipvsadm = (...words: string[]): string =>
    run(inHost(lab.name, 'director', [lvsj, 'ipvsadm', ...words]));
  ipvsadm('-A', '-f', String(fwmark), '-s', 'wlc');
  for (const { ipv4 } of lab.isps) ipvsadm('-a', '-f', String(fwmark), '-r', ipv4.gateway, '-j');
  return { ...siteOf('director', lab), director: directorOf(lab) };
}

/** Nothing but the sender, a veth pair and a sink: what is subtracted from the other two. */
export function makeBare(sinks: Sinks, besides: Site): Site {
  const [here, there] = [namespaceOf(besides.lab, 'lan'), namespaceOf(besides.lab, 'isp1')];
  const pair = `link add bare0 netns ${here} type veth peer name bare1 netns ${there}\n`;
  run(['ip', '-batch', '-'], { input: pair });
  run(['ip', '-n', here, 'link', 'set', 'bare0', 'up']);
  run(['ip', '-n', there, 'link', 'set', 'bare1', 'up']);
  attachSink(sinks.isp, there, 'bare1');
  const frame = udpFrame({ to: linkAddress(there, 'bare1') });
  return { name: 'sender alone', lab: besides.lab, link: 'bare0', frame };
}

/** Its maps, found from outside by the program on lvsj0. */
function directorOf(lab: Lab): DirectorMaps {
  const namespace = namespaceOf(lab.name, 'director');
  const filters = JSON.parse(
    run(['tc', '-n', namespace, '-json', 'filter', 'show', 'dev', 'lvsj0', 'ingress']),
  ) as { options?: { prog?: { id: number } } }[];
  const id = filters.find(({ options }) => options?.prog)?.options?.prog?.id;
  if (id === undefined) throw new Error(`no director was found in ${namespace}`);
  return DirectorMaps.byIds(Program.byId(id).info.mapIds);
}
