// What lvsj explain says of a connection, against what the kernel does with its first packet: real
// nftables rules, policy routing, the director and SNAT. conntrack tells the gateway and the source address.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, describe, test } from 'node:test';
import { explain } from '../../src/explain/explain.ts';
import type { Source } from '../../src/explain/source.ts';
import { setAdmin } from '../../src/kernel/admin.ts';
import { deploy } from '../../src/kernel/deploy.ts';
import { Director, stopDirector } from '../../src/kernel/director.ts';
import { explainSource } from '../../src/kernel/explain.ts';
import { readRuleStates } from '../../src/kernel/read-rules.ts';
import type { Config, GatewayConfig, ServiceConfig, Snat } from '../../src/model/config.ts';
import type { Decision, ExplainedPacket } from '../../src/model/explanation.ts';
import { defaultMonitor, defaultPolicy } from '../../src/model/monitor.ts';
import type { Family } from '../../src/model/table.ts';
import { noGateway } from '../../src/plan/objects.ts';
import { run } from '../../src/util/run.ts';
import { waitUntil } from '../../src/util/wait-until.ts';
import { randomPacket, randomRule, randomSets, rawMatches, resolved } from '../random-rules.ts';
import { enterNamespace, FrameSender, makeLinks } from './namespace.ts';
import { mac, type Packet, packet } from './packet.ts';
import { type Random, randomOf } from './random.ts';
import { gatewayAddress } from './service.ts';

const seed = Number(process.env.EXPLAIN_SEED ?? 1);
const flows = Number(process.env.EXPLAIN_FLOWS ?? 1000);
/** Between two configurations. */
const flowsEach = 50;

const snats: Snat[] = [
  { kind: 'masquerade' },
  { kind: 'address', address: '192.0.2.77' },
  { kind: 'none' },
];

function gateway(name: string, link: string, number: number): GatewayConfig {
  const via = (family: Family) => ({
    kind: 'address' as const,
    address: gatewayAddress(number, family),
  });
  return {
    ...{ name, link, mtu: 0, capacity: { down: 0, up: 0 } },
    ...{ monitor: defaultMonitor, resolvers: [] },
    via: { 4: via(4), 6: via(6) },
    snat: {
      4: snats[number % snats.length] as Snat,
      6: { kind: 'npt', prefix: '2001:db8:77::/64' },
    },
  };
}

function service(name: string, fwmark: number, given: Partial<ServiceConfig>): ServiceConfig {
  return {
    ...{ name, fwmark, scheduler: 'wlc', schedulerFlags: [], persistence: 0, onePacket: false },
    ...{ persistenceKey: 'source', netmask: { 4: 32, 6: 128 } },
    ...defaultPolicy,
    gateways: ['one', 'two', 'three'].map((name, i) => ({
      ...{ gateway: name, weight: 3 - i, upper: 0, lower: 0, tier: 1 },
    })),
    ...given,
  };
}

const services: ServiceConfig[] = [
  service('web', 1, { persistence: 300 }),
  service('bulk', 2, { scheduler: 'wrr' }),
  service('voice', 3, {
    scheduler: 'fo',
    gateways: [
      { gateway: 'three', weight: 9, upper: 20, lower: 5, tier: 1 },
      { gateway: 'one', weight: 1, upper: 0, lower: 0, tier: 1 },
    ],
  }),
  service('hash', 4, { scheduler: 'sh', schedulerFlags: ['sh-port'] }),
];

function configOf(random: Random): Config {
  const names = [...services.map(({ name }) => name), 'main'];
  return {
    ...{ lan: [], router: '', connections: 4096, markMask: 0xff000000 },
    timeouts: { tcp: 900, tcpFin: 120, udp: 300 },
    settings: {},
    api: { group: '', metricsListen: '', metricsTokenFile: '' },
    gateways: [gateway('one', 'wan1', 1), gateway('two', 'wan2', 101), gateway('three', 'wan1', 3)],
    ...{ services, sets: randomSets, hooks: [] },
    rules: Array.from({ length: 30 }, (_, i) => randomRule(random, i, names)),
  };
}

function makeNamespace(): void {
  enterNamespace();
  makeLinks();
  const lines = [
    'link add lan1 type veth peer name lan1p',
    ...['lan1', 'lan1p'].map((end) => `link set ${end} addrgenmode none multicast off arp off up`),
    ...['lan1', 'wan1'].map((link) => `link set ${link} address ${mac.lan}`),
    'address add 10.0.0.1/24 dev lan0',
    'address add fd00::1/64 dev lan0 nodad',
    'address add 10.1.0.1/24 dev lan1',
    'route add default via 192.0.2.1 dev wan1',
    '-6 route add default via 2001:db8:1::1 dev wan1',
    'route add 203.0.113.20/30 via 10.1.0.9 dev lan1',
  ];
  for (const line of lines) run(['ip', ...line.split(' ')]);
  for (const name of ['all', 'lan0', 'lan1', 'wan1', 'wan2'])
    run(['sysctl', '-qw', `net.ipv4.conf.${name}.rp_filter=0`]);
}

/** Timers move averages, which lbw and lrtt go by; and they would take entries away. */
function stopTimers({ maps }: Director): void {
  const clocks = maps.map('clocks');
  for (const [key] of [...clocks.entries()]) clocks.set(key, Buffer.alloc(clocks.valueSize));
}

/** As the test's packets are: SYN, datagram or echo. */
function toFrame({ protocol, family, dscp, ...ends }: ExplainedPacket, length: number): Packet {
  const { client, server, clientPort, serverPort } = ends;
  const ip = packet({ to: mac.lan }).ip({ src: client, dst: server, dscp });
  const ports = { sport: clientPort, dport: serverPort };
  if (protocol === 6) return ip.tcp({ ...ports, flags: 'S' }).payload(length);
  if (protocol === 17) return ip.udp(ports).payload(length);
  return ip.ping(family, 'request', clientPort).payload(length);
}

/** One connection as conntrack has it. */
interface Tracked {
  /** Gateway id in its mark. */
  gateway: number;
  /** Where the answer goes to. */
  source: string;
}

/** By the client's port, or the echo's identifier. */
function readTracked(): Map<number, Tracked> {
  const found = new Map<number, Tracked>();
  for (const family of ['ipv4', 'ipv6'])
    for (const line of run(['conntrack', '-L', '-f', family]).split('\n')) {
      const [, port] = /(?:sport|id)=(\d+)/.exec(line) ?? [];
      const [, source = ''] = /src=.* src=\S+ dst=(\S+)/.exec(line) ?? [];
      const [, mark = '0'] = /mark=(\d+)/.exec(line) ?? [];
      if (port) found.set(Number(port), { gateway: Number(mark) >>> 24, source });
    }
  return found;
}

const trackedCount = (): number =>
  Number(readFileSync('/proc/sys/net/netfilter/nf_conntrack_count', 'utf8'));

makeNamespace();
const sender = new FrameSender();

async function send(frame: Packet, link: string): Promise<void> {
  const before = trackedCount();
  sender.send(`${link}p`, frame.bytes);
  await waitUntil('conntrack has the connection', () => trackedCount() > before);
}

/** The one that is meant for a packet of this length. */
function decisionFor(decisions: readonly Decision[], length: number): Decision {
  const found = decisions.find(
    ({ condition, rule }) => condition === '' || rawMatches[rule?.nft ?? '']?.(length),
  );
  assert.ok(found, 'the last decision has no condition');
  return found;
}

interface Flow {
  packet: ExplainedPacket;
  decision: Decision;
}

async function explainAndSend(source: Source, random: Random, number: number): Promise<Flow> {
  const asked = randomPacket(random, number);
  const link = random(2) ? asked.link : undefined;
  const { decisions, ...rest } = explain({ packet: { ...asked, link } }, source);
  assert.equal(rest.packet.link, asked.link);
  const frame = toFrame(asked, random(60));
  const flow = { packet: asked, decision: decisionFor(decisions, frame.ipLength) };
  await send(frame, asked.link);
  return flow;
}

const gatewayText = (address: string | undefined): string => address?.split(' ')[0] ?? '';

function assertReal(sent: readonly Flow[], counted: Map<string, number>): void {
  const tracked = readTracked();
  for (const { packet, decision } of sent) {
    const what = JSON.stringify({ packet, decision });
    const real = tracked.get(packet.clientPort);
    // One that a service had no gateway for is told from one that no service takes.
    const none = decision.verdict === 'no_gateway' ? noGateway : 0;
    assert.equal(real?.gateway, decision.gateway?.id ?? none, what);
    const source = decision.gateway ? gatewayText(decision.gateway.source) : packet.client;
    assert.equal(real?.source, source, what);
  }
  const said = Map.groupBy(sent, ({ decision }) => decision.rule?.name ?? '');
  for (const [name, packets] of counted)
    assert.equal(said.get(name)?.length ?? 0, packets, `packets of ${name}`);
}

/** What each rule has decided since `earlier`. */
function readCounted(source: Source, earlier = new Map<string, number>()) {
  const states = source.applied ? readRuleStates(source.applied) : [];
  return new Map(
    states.map(({ name, packets }) => [name, packets - (earlier.get(name) ?? 0)] as const),
  );
}

function tellDomains(): void {
  const lines = ([4, 6] as const).map(
    (family) =>
      `add element inet lvsj dns_named_${family} { ${resolved[family].map((a) => `${a} timeout 1h`).join(', ')} }\n`,
  );
  run(['nft', '-f', '-'], { input: lines.join('') });
}

describe('what is explained is what happens', () => {
  const seen: Flow[] = [];

  after(() => {
    sender.close();
    if (Director.find()) stopDirector();
  });

  test(`to ${flows} random flows by random rules (seed ${seed})`, async () => {
    const random = randomOf(seed);
    for (let first = 0; first < flows; first += flowsEach) {
      deploy({ config: configOf(random), file: 'lvsj.yaml' });
      // Our packets have no transport checksums.
      run(['sysctl', '-qw', 'net.netfilter.nf_conntrack_checksum=0']);
      using director = Director.find();
      assert.ok(director);
      if (first === 0) stopTimers(director);
      const state = (['enabled', 'enabled', 'drained', 'disabled'] as const)[random(4)];
      for (const name of ['one', 'two', 'three']) setAdmin(director, name, 'enabled');
      setAdmin(director, ['one', 'two', 'three'][random(3)] as string, state ?? 'enabled');
      tellDomains();
      const source = explainSource(director);
      const before = readCounted(source);
      const sent: Flow[] = [];
      for (let i = 0; i < flowsEach; i++)
        sent.push(await explainAndSend(source, random, first + i));
      assertReal(sent, readCounted(source, before));
      seen.push(...sent);
    }
  });

  test('the flows met every way', () => {
    const kinds = new Set(
      seen.map(({ decision: { reason, because, rule } }) =>
        [reason || because.replace(/^\S+ has/, 'it has'), rule?.nft ? 'nft' : ''].join(' ').trim(),
      ),
    );
    for (const kind of ['scheduler', 'template', 'scheduler nft', 'the rule says main'])
      assert.ok(kinds.has(kind), `${kind} is among ${[...kinds].join(', ')}`);
    assert.ok(kinds.has('no rule matches') && kinds.has('it has a route of its own'));
  });
});
