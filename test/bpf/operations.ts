// What an admin and clients may do to a director, at random: command lines of ipvsadm, packets of
// a few flows, time that passes.

import fc from 'fast-check';
import { persistenceKeys } from '../../src/model/persistence.ts';
import { schedulers } from '../../src/model/scheduler.ts';
import type { ServiceKey } from '../../src/model/table.ts';
import type { FlowOptions, FlowProtocol } from './flow.ts';
import { gatewayAddress } from './service.ts';

/** With gateway bits in the middle, marks from 2^31 on are free. */
export const markMask = 0x00ff_0000;

export const keys: ServiceKey[] = [
  { fwmark: 1, family: 4 },
  { fwmark: 1, family: 6 },
  { fwmark: 0x8000_0001, family: 4 },
  { fwmark: 0xff00_0002, family: 6 },
];

/** No timeout is shorter than a run, however busy the machine: what ends is made to. */
export const shortestS = 60;

export interface Packets {
  packets: string;
  /** Seen by ingress first, or by the director alone. */
  ingress: boolean;
}

export type Op =
  /** One command, or several as a file for -R. */
  | { do: 'commands'; lines: string[] }
  /** A flow's packets in TCP's flags: i from its client, o replies. */
  | ({ do: 'open'; flow: FlowOptions; fwmark: number } & Packets)
  /** Of one of the connections that live; `which` and those below are taken modulo their number. */
  | ({ do: 'more'; which: number } & Packets)
  /** So many new connections of all clients. */
  | { do: 'fill'; service: number; count: number }
  /** So many connections are over. */
  | { do: 'expire'; which: number; count: number }
  /** Every template without connections is over. */
  | { do: 'forget-clients' }
  /** Connections until each gateway of a service, the next one that suits, had its turn. */
  | { do: 'round'; service: number }
  | { do: 'save-and-restore' };

export const clients = {
  4: ['10.0.0.1', '10.0.0.2', '10.0.1.1'],
  6: ['fd00::1', 'fd00::2', 'fd00:0:0:1::1'],
} as const;

const servers = {
  4: ['203.0.113.9', '198.18.0.1'],
  6: ['2001:db8:ff::9', '2001:db8:fe::1'],
} as const;

/** Shorter masks, by which the first two clients are one. */
export const netmasks = { 4: '255.255.255.0', 6: '64' } as const;

const keyOf = ({ fwmark, family }: ServiceKey): string =>
  `-f ${fwmark}${family === 6 ? ' -6' : ''}`;

const words = (...parts: fc.Arbitrary<string>[]): fc.Arbitrary<string> =>
  fc.tuple(...parts).map((texts) => texts.filter((text) => text !== '').join(' '));
const maybe = (part: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.oneof({ weight: 2, arbitrary: fc.constant('') }, { weight: 1, arbitrary: part });

const often = (part: fc.Arbitrary<string>): fc.Arbitrary<string> => fc.oneof(fc.constant(''), part);
const rarely = (text: string): fc.Arbitrary<string> =>
  fc.oneof({ weight: 9, arbitrary: fc.constant('') }, { weight: 1, arbitrary: fc.constant(text) });

const [first, second] = keys as [ServiceKey, ServiceKey];
/** Much happens to few of them. */
const key = fc.constantFrom(first, first, second, ...keys);
/** These too come and go, with no packets. */
const otherKeys: ServiceKey[] = [
  { fwmark: 2, family: 4 },
  { fwmark: 0x7000_0000, family: 6 },
];
const seconds = fc.integer({ min: shortestS, max: shortestS + 2 });

/** Half of them rr and wrr, for the rounds. */
const schedulerName = fc.oneof(fc.constantFrom(...schedulers.keys()), fc.constantFrom('rr', 'wrr'));

const scheduler = schedulerName.chain((name) =>
  fc.subarray([...(schedulers.get(name) ?? [])]).map((flags) => {
    const option = flags.length > 0 ? ` -b ${flags.join(',')}` : '';
    return `-s ${name}${option}`;
  }),
);

const persistence = ({ family }: ServiceKey): fc.Arbitrary<string> =>
  words(
    seconds.map((s) => `-p ${s}`),
    fc.constantFrom('', `-M ${netmasks[family]}`),
    fc.constantFrom('', '', ...persistenceKeys.map((name) => `--pe ${name}`)),
  );

const serviceLine = (verb: fc.Arbitrary<string>, of: ServiceKey): fc.Arbitrary<string> =>
  words(verb, fc.constant(keyOf(of)), scheduler, often(persistence(of)), rarely('-o'));

const weight = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(0, 0, 1, 2, 3, 4, 5) },
  { weight: 1, arbitrary: fc.constantFrom(100, 65_535, 2 ** 31 - 1) },
);

/** The bed keeps 1 to 3; 101 comes and goes, and has a port, to be shown. */
const kept = [1, 2, 3];

function gateway({ family }: ServiceKey, numbers = [...kept, ...kept, 101]): fc.Arbitrary<string> {
  return fc.constantFrom(...numbers).map((number) => {
    const address = gatewayAddress(number, family);
    if (number !== 101) return `-r ${address}`;
    return family === 4 ? `-r ${address}:7` : `-r [${address}]:7`;
  });
}

const settings = words(
  weight.map((w) => `-w ${w}`),
  maybe(fc.tuple(fc.nat(4), fc.nat(5)).map(([x, y]) => `-x ${x} -y ${Math.min(x + 1, y)}`)),
);

const gatewayLine = (verb: string, of: ServiceKey, numbers?: number[]): fc.Arbitrary<string> =>
  words(fc.constant(`${verb} ${keyOf(of)}`), gateway(of, numbers), fc.constant('-j'), settings);

const set = fc
  .tuple(...[1, 2, 3].map(() => fc.oneof(fc.constant(0), seconds)))
  .map((all) => `--set ${all.join(' ')}`);

const line = fc
  .oneof({ weight: 9, arbitrary: key }, { weight: 1, arbitrary: fc.constantFrom(...otherKeys) })
  .chain((of) =>
    fc.oneof(
      { weight: 2, arbitrary: serviceLine(fc.constant('-A'), of) },
      { weight: 4, arbitrary: serviceLine(fc.constant('-E'), of) },
      { weight: 5, arbitrary: gatewayLine('-a', of) },
      { weight: 6, arbitrary: gatewayLine('-e', of) },
      { weight: 3, arbitrary: gateway(of).map((r) => `-d ${keyOf(of)} ${r}`) },
      {
        weight: 1,
        arbitrary: fc.constantFrom(
          `-D ${keyOf(of)}`,
          `-D ${keyOf(of)}`,
          `-Z ${keyOf(of)}`,
          '-Z',
          '-C',
        ),
      },
      { weight: 1, arbitrary: set },
    ),
  );

/** The services are there from the start; their gateways come here. */
const begin: fc.Arbitrary<Op> = fc
  .tuple(
    ...keys.map((of) =>
      fc.tuple(
        serviceLine(fc.constant('-E'), of),
        fc.array(gatewayLine('-a', of, kept), { maxLength: 4, size: 'max' }),
      ),
    ),
  )
  .map((all) => ({ do: 'commands', lines: all.flatMap(([service, rest]) => [service, ...rest]) }));

const flow = key.chain(({ family, fwmark }) =>
  fc.record({
    fwmark: fc.constant(fwmark),
    flow: fc.record({
      client: fc.constantFrom(...clients[family]),
      port: fc.constantFrom(4000, 4001),
      server: fc.constantFrom(...servers[family]),
      protocol: fc.constantFrom<FlowProtocol>('tcp', 'tcp', 'tcp', 'sctp', 'udp', 'icmp', 'gre'),
    }),
  }),
);

const sent = (...packets: string[]): fc.Arbitrary<Packets> =>
  fc.record({ packets: fc.constantFrom(...packets), ingress: fc.boolean() });

const opening = sent('iS', 'iS', 'iS oSA iA', 'iS oSA iA', 'iA');
const further = sent(
  ...['iA', 'oSA', 'iS', 'iR', 'oRA', 'oRA iS', 'iFA oFA iA', 'oFA iFA', 'iFA oFA iS'],
);

const op: fc.Arbitrary<Op> = fc.oneof(
  { weight: 8, arbitrary: line.map((one): Op => ({ do: 'commands', lines: [one] })) },
  {
    weight: 3,
    arbitrary: fc
      .array(line, { minLength: 2, maxLength: 8, size: 'max' })
      .map((lines): Op => ({ do: 'commands', lines })),
  },
  {
    weight: 28,
    arbitrary: fc.tuple(flow, opening).map(([of, all]): Op => ({ do: 'open', ...of, ...all })),
  },
  {
    weight: 24,
    arbitrary: fc
      .tuple(fc.nat(99), further)
      .map(([which, all]): Op => ({ do: 'more', which, ...all })),
  },
  {
    weight: 10,
    arbitrary: fc
      .tuple(fc.constantFrom(0, 0, 1, ...keys.keys()), fc.integer({ min: 1, max: 8 }))
      .map(([service, count]): Op => ({ do: 'fill', service, count })),
  },
  {
    weight: 6,
    arbitrary: fc
      .tuple(fc.nat(99), fc.integer({ min: 1, max: 15 }))
      .map(([which, count]): Op => ({ do: 'expire', which, count })),
  },
  { weight: 2, arbitrary: fc.constant<Op>({ do: 'forget-clients' }) },
  {
    weight: 8,
    arbitrary: fc.nat(keys.length - 1).map((service): Op => ({ do: 'round', service })),
  },
);

/** A life of a director: its services get gateways, much happens, and it may be saved and restored. */
export const life: fc.Arbitrary<Op[]> = fc
  .tuple(
    begin,
    fc.array(op, { maxLength: 120, size: 'max' }),
    fc.constantFrom<Op[]>([], [], [{ do: 'save-and-restore' }]),
    fc.array(op, { maxLength: 5, size: 'max' }),
  )
  .map(([first, most, end, rest]) => [first, ...most, ...end, ...rest]);
