// What can happen to an ISP, and its end. A fault is there at once and whole: it is one change of the
// kernel's on the ISP's router, and nothing is asked or told there first.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { run } from '../util/run.ts';
import { clockMs } from './clock.ts';
import { setCarrier } from './isp-link.ts';
import { inHost } from './place.ts';
import { programOf, startProgram } from './program.ts';
import { type Isp, type Lab, namespaceOf } from './topology.ts';

export type FaultSpec =
  /** The cable is pulled. */
  | { kind: 'carrier' }
  /** Its router is dead: it answers nothing, not even who has an address, and the carrier stays. */
  | { kind: 'router' }
  /** Its router is well, what lies behind it cannot be reached, and nobody says so. */
  | { kind: 'blackhole' }
  /** The line to it loses so many percent of all packets of each direction. */
  | { kind: 'loss'; percent: number }
  /** Questions to name servers are lost. */
  | { kind: 'dns' }
  /** HTTP is answered by a login page; all else works. */
  | { kind: 'portal' }
  /** What comes back from behind its router is late. */
  | { kind: 'latency'; ms: number };

export interface Fault {
  /** Of clockMs(): it was not there before this moment. */
  at: number;
  heal(): Promise<void>;
}

const portalPort = 8880;
/** Before the ISP's own rules, which have 10 and 20. */
const slowRule = 'pref 5 iif eth1 lookup 900';

/** Several faults of different kinds may be set on one ISP. */
export async function setFault(lab: Lab, isp: Isp, fault: FaultSpec): Promise<Fault> {
  if (fault.kind === 'carrier') {
    const at = await pullCable(lab, isp);
    // Until the director's end is down.
    await setCarrier(lab, isp, false);
    return { at, heal: () => setCarrier(lab, isp, true) };
  }
  if (fault.kind === 'latency') return slowDown(lab, isp, fault.ms);
  if (fault.kind !== 'portal') return setTable(lab, isp, fault);
  const end = await startProgram(lab.name, isp.host, [
    ...programOf('portal.ts'),
    String(portalPort),
  ]);
  const redirect = setTable(lab, isp, fault);
  return {
    at: redirect.at,
    heal: async () => {
      await redirect.heal();
      await end();
    },
  };
}

/** Has `ip` started before its time counts: a busy machine may take longer for that than for the rest. */
async function pullCable(lab: Lab, isp: Isp): Promise<number> {
  const argv = ['-n', namespaceOf(lab.name, isp.host), '-batch', '-'];
  const ip = spawn('ip', argv, { stdio: ['pipe', 'pipe', 'inherit'] });
  ip.stdin.write('link show dev eth0\n');
  await once(ip.stdout, 'data');
  const at = clockMs();
  ip.stdin.end('link set eth0 down\n');
  await once(ip, 'exit');
  return at;
}

type TableFault = Exclude<FaultSpec, { kind: 'carrier' } | { kind: 'latency' }>;

function setTable(lab: Lab, isp: Isp, fault: TableFault): Fault {
  const table = `${familyOf[fault.kind]} fault_${fault.kind}`;
  const nft = (input: string) => run(inHost(lab.name, isp.host, ['nft', '-f', '-']), { input });
  const at = clockMs();
  nft(`table ${table} {\n${formatChains(fault).join('\n')}\n}\n`);
  return { at, heal: async () => void nft(`delete table ${table}\n`) };
}

/** Before a packet is routed, and ARP too, only netdev sees. */
const familyOf: Record<TableFault['kind'], 'inet' | 'netdev'> = {
  router: 'netdev',
  loss: 'netdev',
  blackhole: 'inet',
  dns: 'inet',
  portal: 'inet',
};

function formatChains(fault: TableFault): string[] {
  switch (fault.kind) {
    case 'router':
      return bothWays('eth0, eth1', 'drop');
    case 'loss':
      return bothWays(
        'eth0',
        `numgen random mod 10000 <= ${Math.round(fault.percent * 100) - 1} drop`,
      );
    case 'blackhole':
      return chain('forward', 'filter hook forward', 'drop');
    case 'dns':
      return chain('forward', 'filter hook forward', 'meta l4proto { tcp, udp } th dport 53 drop');
    case 'portal':
      return chain(
        'prerouting',
        'nat hook prerouting',
        `iifname eth0 tcp dport 80 redirect to :${portalPort}`,
      );
  }
}

const bothWays = (links: string, rule: string): string[] =>
  ['ingress', 'egress'].flatMap((hook) =>
    chain(hook, `filter hook ${hook} devices = { ${links} }`, rule),
  );

const chain = (name: string, type: string, rule: string): string[] => [
  // No earlier: connections are known from -200 on, which NAT needs.
  `chain ${name} { type ${type} priority -100;`,
  rule,
  '}',
];

async function slowDown(lab: Lab, isp: Isp, ms: number): Promise<Fault> {
  const ip = (words: string) => run(inHost(lab.name, isp.host, ['ip', ...words.split(' ')]));
  const end = await startProgram(lab.name, isp.host, [...programOf('slow-link.ts'), String(ms)]);
  const families = ['-4', '-6'];
  for (const family of families) ip(`${family} route add default dev slow0 table 900`);
  const at = clockMs();
  for (const family of families) ip(`${family} rule add ${slowRule}`);
  return {
    at,
    heal: async () => {
      for (const family of families) ip(`${family} rule del ${slowRule}`);
      await end();
    },
  };
}
