// A lab between whose ends the whole path is measured: one peer on its director, and what sends, counts and
// answers at both ends.

import type { Program } from '../../src/kernel/program.ts';
import { inHost, labUp } from '../../src/lab/lab.ts';
import { type Lab, namespaceOf, planLab } from '../../src/lab/topology.ts';
import { run } from '../../src/util/run.ts';
import { udpFrame } from '../packet.ts';
import { labName, readLink } from './labs.ts';
import type { Counted, Peer } from './peers.ts';

/** A way from the clients to the servers, and back. */
export interface Site {
  name: string;
  /** Namespaces in which packets begin and end. */
  near: string;
  far: string;
  /** By what link the clients send. */
  link: string;
  frame: Buffer;
  /** Where a director counts what passes by it; others count nothing. */
  counted?: Counted;
}

/** Programs at which packets end. */
export interface Ends {
  client: Program;
  isp: Program;
}

/** Runs `command` with the program's pin in `namespace`; not by its `-n`, which hides the pin: that gives itself a fresh /sys. */
function withPin(program: Program, namespace: string, command: (pin: string) => string[]): void {
  const pin = `/sys/fs/bpf/lvsj-bench-${process.pid}`;
  run(['bpftool', 'prog', 'pin', 'id', String(program.info.id), pin]);
  try {
    run(['nsenter', `--net=/run/netns/${namespace}`, ...command(pin)]);
  } finally {
    run(['rm', '-f', pin]);
  }
}

export function attachProgram(program: Program, namespace: string, link: string): void {
  run(['tc', '-n', namespace, 'qdisc', 'add', 'dev', link, 'clsact']);
  const filter = ['tc', 'filter', 'add', 'dev', link, 'ingress'];
  withPin(program, namespace, (pin) => [...filter, 'bpf', 'da', 'object-pinned', pin]);
}

/** In the driver, not in the kernel's generic stand-in for drivers that cannot. */
export function attachXdp(program: Program, namespace: string, link: string): void {
  withPin(program, namespace, (pin) => ['ip', 'link', 'set', link, 'xdpdrv', 'pinned', pin]);
}

const farLink = (index: number): string => (index === 0 ? 'eth0' : `far${index}`);

/** All ISPs' links in one namespace: one sender can answer by each. */
function joinFarEnds({ name, isps }: Lab): void {
  const far = namespaceOf(name, 'isp1');
  isps.slice(1).forEach(({ host }, index) => {
    const link = farLink(index + 1);
    run(['ip', '-n', namespaceOf(name, host), 'link', 'set', 'eth0', 'netns', far, 'name', link]);
    run(['ip', '-n', far, 'link', 'set', link, 'up']);
  });
}

/** Nobody asks for a neighbour in the middle of a measurement. hops: more next hops of the first ISP's. */
function fixNeighbours(lab: Lab, hops: string[]): void {
  const lan = readLink(namespaceOf(lab.name, 'lan'), 'eth0').address;
  const clients = lab.clients.ipv4.map((address) => `${address} lladdr ${lan} dev eth0`);
  const isps = lab.isps.flatMap(({ link, ipv4 }, index) => {
    const { address } = readLink(namespaceOf(lab.name, 'isp1'), farLink(index));
    const all = index === 0 ? [ipv4.gateway, ...hops] : [ipv4.gateway];
    return all.map((hop) => `${hop} lladdr ${address} dev ${link}`);
  });
  const lines = [...clients, ...isps].map((line) => `neigh replace ${line} nud permanent\n`);
  const batch = ['ip', '-n', namespaceOf(lab.name, 'director'), '-batch', '-'];
  run(batch, { input: lines.join('') });
}

/** The same for all peers. Connections outlive the pauses between their rounds. */
const sysctls = [
  'net.ipv4.conf.all.rp_filter=0',
  'net.ipv4.conf.default.rp_filter=0',
  'net.ipv4.conf.eth1.rp_filter=0',
  'net.netfilter.nf_conntrack_udp_timeout=3600',
  'net.netfilter.nf_conntrack_udp_timeout_stream=3600',
];

export interface SiteOptions {
  ends: Ends;
  /** Of the lab, where it is not the peer's own. */
  name?: string;
  hops?: string[];
}

export async function makeSite(peer: Peer, options: SiteOptions): Promise<Site> {
  const { ends, name = peer.name, hops = [] } = options;
  const lab = planLab({ name: labName(name), isps: peer.isps });
  await labUp(lab);
  run(inHost(lab.name, 'director', ['sysctl', '-qw', ...sysctls]));
  joinFarEnds(lab);
  fixNeighbours(lab, hops);
  const counted = await peer.setUp(lab);
  const [near, far] = [namespaceOf(lab.name, 'lan'), namespaceOf(lab.name, 'isp1')];
  attachProgram(ends.client, near, 'eth0');
  lab.isps.forEach((_, index) => {
    attachProgram(ends.isp, far, farLink(index));
  });
  const to = readLink(namespaceOf(lab.name, 'director'), 'eth0').address;
  const site = { name: peer.title, near, far, link: 'eth0', frame: udpFrame({ to }) };
  return counted ? { ...site, counted } : site;
}

/** Nothing but the sender, a veth pair and a sink: what is subtracted from all others. */
export function makeBare({ client, isp }: Ends, { near, far }: Site): Site {
  const pair = `link add bare0 netns ${near} type veth peer name bare1 netns ${far}\n`;
  run(['ip', '-batch', '-'], { input: pair });
  run(['ip', '-n', near, 'link', 'set', 'bare0', 'up']);
  run(['ip', '-n', far, 'link', 'set', 'bare1', 'up']);
  attachProgram(client, near, 'bare0');
  attachProgram(isp, far, 'bare1');
  const frame = udpFrame({ to: readLink(far, 'bare1').address });
  return { name: 'sender and sink alone', near, far, link: 'bare0', frame };
}
