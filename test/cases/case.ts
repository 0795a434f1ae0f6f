// The words in which scheduler cases are written, and how one is run on any director.

import assert from 'node:assert/strict';

export const schedulers = [
  ...(['rr', 'wrr', 'lc', 'wlc', 'sed', 'nq', 'fo', 'ovf'] as const),
  ...(['sh', 'dh', 'mh', 'lblc', 'lblcr', 'lbw', 'lrtt'] as const),
];
export type Scheduler = (typeof schedulers)[number];
export type Flag = 'sh-fallback' | 'sh-port' | 'mh-fallback' | 'mh-port';

export interface Client {
  address: string;
  port: number;
  /** Whom it connects to; without it all go to one server. */
  server?: string;
}

/** As ipvsadm -w -x -y; a threshold of 0 is none. */
export interface GatewaySettings {
  weight: number;
  upper?: number;
  lower?: number;
}

/** What a gateway carries on average, bytes a second, and its capacity, bits a second (0 = not told). */
export interface Load {
  down?: number;
  up?: number;
  capacityDown?: number;
  capacityUp?: number;
}

/** A gateway whose name is an address has this address; the others have some. */
export const isAddress = (name: string): boolean => /[.:]/.test(name);

/** What a case needs of a director: the host build has one, and so has the kernel. */
export interface Director {
  /** A new service with these gateways, added one by one. */
  begin(service: ServiceSettings, gateways: [string, GatewaySettings][]): Promise<void>;
  setScheduler(service: ServiceSettings): Promise<void>;
  insert(gateway: string, settings: GatewaySettings): Promise<void>;
  edit(gateway: string, settings: GatewaySettings): Promise<void>;
  remove(gateway: string): Promise<void>;
  setCounts(gateway: string, active: number, inactive: number): Promise<void>;
  /** A new connection, which stays open: the name of its gateway, '-' if it gets none. */
  open(client: Client, protocol: Protocol): Promise<string>;
  /** The oldest open connection of a gateway becomes inactive, as after a FIN. */
  close(gateway: string): Promise<void>;
  /** The oldest connection of a gateway is forgotten, as after its timeout. */
  end(gateway: string): Promise<void>;
  setLoad(gateway: string, load: Required<Load>): Promise<void>;
  /** The average time until its servers answer; 0 = not known. */
  setRtt(gateway: string, microseconds: number): Promise<void>;
  /** So much later, for what lblc remembers. */
  pass(seconds: number): Promise<void>;
}

export type Protocol = 'tcp' | 'udp';

export interface ServiceSettings {
  scheduler: Scheduler;
  flags: Flag[];
  family: 4 | 6;
  /** Seconds; without it the service is not persistent. */
  persistence?: number;
  /** UDP: no connections. */
  onePacket?: boolean;
}

export interface SchedulerCase {
  /** A sentence, read after the scheduler's name. */
  name: string;
  scheduler: Scheduler;
  flags?: Flag[];
  family?: 4 | 6;
  /** By name, in the order added: the last one is the head of the list. A number is a weight. */
  gateways: Record<string, number | GatewaySettings>;
  steps: Step[];
}

export interface Run {
  director: Director;
  service: ServiceSettings;
  /** A client that was not there before. */
  newClient: () => Client;
}

export type Step = (run: Run) => Promise<void>;

const toSettings = (given: number | GatewaySettings): GatewaySettings =>
  typeof given === 'number' ? { weight: given } : given;

interface OpenOptions {
  /** Without it each connection has a client of its own. */
  from?: Client[];
  protocol?: Protocol;
}

/**
 * New connections, and the gateways that they must get: letters, which may stand in groups, or
 * a list of names.
 */
export function open(expected: string | string[], options: OpenOptions = {}): Step {
  const want = typeof expected === 'string' ? [...expected.replaceAll(' ', '')] : expected;
  return async ({ director, newClient }) => {
    const clients = options.from ?? want.map(newClient);
    assert.equal(clients.length, want.length, 'as many clients as expected gateways');
    const have: string[] = [];
    for (const client of clients) have.push(await director.open(client, options.protocol ?? 'tcp'));
    assert.equal(have.join(' '), want.join(' '));
  };
}

export const insert =
  (gateway: string, settings: number | GatewaySettings): Step =>
  ({ director }) =>
    director.insert(gateway, toSettings(settings));

export const edit =
  (gateway: string, settings: number | GatewaySettings): Step =>
  ({ director }) =>
    director.edit(gateway, toSettings(settings));

export const remove =
  (gateway: string): Step =>
  ({ director }) =>
    director.remove(gateway);

export const counts =
  (gateway: string, active: number, inactive: number): Step =>
  ({ director }) =>
    director.setCounts(gateway, active, inactive);

export const close =
  (gateway: string): Step =>
  ({ director }) =>
    director.close(gateway);

export const end =
  (gateway: string): Step =>
  ({ director }) =>
    director.end(gateway);

/** Averages that were not told are 0. */
export const carry =
  (gateway: string, load: Load): Step =>
  ({ director }) =>
    director.setLoad(gateway, { down: 0, up: 0, capacityDown: 0, capacityUp: 0, ...load });

export const answer =
  (gateway: string, microseconds: number): Step =>
  ({ director }) =>
    director.setRtt(gateway, microseconds);

export const pass =
  (seconds: number): Step =>
  ({ director }) =>
    director.pass(seconds);

export const setScheduler =
  (scheduler: Scheduler, flags: Flag[] = []): Step =>
  ({ director, service }) =>
    director.setScheduler({ ...service, scheduler, flags });

/** `count` clients with addresses one after the other, as `clients('192.168.1.1', 20)`. */
export function clients(first: string, count: number, port = 1024): Client[] {
  const [, prefix, last] = /^(.*[.:])([0-9a-f]+)$/.exec(first)!;
  const base = prefix!.endsWith(':') ? 16 : 10;
  return Array.from({ length: count }, (_, i) => ({
    address: prefix + (Number.parseInt(last!, base) + i).toString(base),
    port,
  }));
}

/** Clients that connect to these servers: `count` with addresses one after the other. */
export const toServers = (first: string, count = 1): Client[] =>
  clients(first, count).map(({ address: server }, i) => {
    const address = server.includes(':') ? 'fd00::77' : '10.77.0.1';
    return { address, port: 2000 + i, server };
  });

/** `count` connections to one server. */
export const toServer = (server: string, count: number): Client[] =>
  Array.from({ length: count }, () => toServers(server)[0]!);

/** One client, from as many ports one after the other. */
export function ports(address: string, first: number, count: number): Client[] {
  return Array.from({ length: count }, (_, i) => ({ address, port: first + i }));
}

function clientMaker(family: 4 | 6): () => Client {
  let n = 0;
  return () => {
    n += 1;
    const [high, low] = [n >> 8, n & 0xff];
    const address = family === 4 ? `10.20.${high}.${low}` : `2001:db8:20::${n.toString(16)}`;
    return { address, port: 20000 + n };
  };
}

export async function runCase(director: Director, schedulerCase: SchedulerCase): Promise<void> {
  const { scheduler, flags = [], family = 4 } = schedulerCase;
  const service = { scheduler, flags, family };
  const gateways = Object.entries(schedulerCase.gateways);
  await director.begin(
    service,
    gateways.map(([name, given]) => [name, toSettings(given)]),
  );
  const newClient = clientMaker(family);
  for (const step of schedulerCase.steps) await step({ director, service, newClient });
}
