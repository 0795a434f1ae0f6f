// Our director in a lab, as `lvsj run` has it from a configuration.

import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { DirectorMaps } from '../../src/kernel/maps.ts';
import { Program } from '../../src/kernel/program.ts';
import { directoryOf } from '../../src/lab/place.ts';
import { type Lab, namespaceOf, planLab } from '../../src/lab/topology.ts';
import { run } from '../../src/util/run.ts';
import { Logged } from '../failover/contender.ts';

const lvsj = fileURLToPath(new URL('../../lvsj', import.meta.url));
/** Of ten thousand rules. */
const startMs = 120_000;
const gatewaysOfService = 64;

export interface Hop {
  link: string;
  address: string;
}

export const hopsOf = ({ isps }: Lab): Hop[] =>
  isps.map(({ link, ipv4 }) => ({ link, address: ipv4.gateway }));

export interface ConfigOptions {
  hops: Hop[];
  fastpath: boolean;
  /** So many rules in all. */
  rules?: number;
  /** The table has room for so many; as usual without it. */
  connections?: number;
}

/** Nobody asks the gateways anything: at the far end there is none. */
export function formatConfig(options: ConfigOptions): string {
  const { hops, fastpath, rules = 1, connections } = options;
  const gateways = hops.map(
    ({ link, address }, index) =>
      `  g${index}: { link: ${link}, via: { ipv4: ${address} }, monitor: none }`,
  );
  const services = Array.from({ length: Math.ceil(hops.length / gatewaysOfService) }, (_, k) => {
    const names = hops.map((_, index) => `g${index}: 1`);
    const own = names.slice(k * gatewaysOfService, (k + 1) * gatewaysOfService);
    return `  s${k}: { fwmark: ${k + 1}, gateways: { ${own.join(', ')} } }`;
  });
  return [
    `fastpath: ${fastpath ? 'on' : 'off'}`,
    ...(connections ? [`connections: ${connections}`] : []),
    'timeouts: { udp: 1h }',
    'gateways:',
    ...gateways,
    'services:',
    ...services,
    'rules:',
    ...formatRules(services.length, rules),
    '',
  ].join('\n');
}

/** Rules that match none of our clients, and after them those that do: each service has its share of clients. */
function formatRules(services: number, rules: number): string[] {
  const others = Array.from(
    { length: rules - services },
    (_, index) => `  - { from: 172.20.${index >> 8}.${index & 0xff}, service: s0 }`,
  );
  const clients = planLab().clients.ipv4;
  const shares = Array.from({ length: services - 1 }, (_, k) => {
    const own = clients.filter((_, index) => index % services === k + 1);
    return `  - { from: [${own.join(', ')}], service: s${k + 1} }`;
  });
  return [...others, ...shares, '  - { service: s0 }'];
}

/** Comes back when the configuration is applied; ends with its lab. */
export async function startDaemon(lab: Lab, config: string): Promise<void> {
  const file = `${directoryOf(lab.name)}/lvsj.yaml`;
  writeFileSync(file, config);
  // We are bound to the CPU that is measured.
  const anywhere = ['taskset', '-c', `0-${cpus().length - 1}`];
  const daemon = new Logged(lab, [...anywhere, lvsj, 'run', '--config', file]);
  const applied = () => daemon.read().includes('"msg":"applied"');
  await daemon.until('the first configuration', applied, startMs);
}

/** Its maps, found from outside by the program on lvsj0. */
export function directorOf(lab: Lab): DirectorMaps {
  const namespace = namespaceOf(lab.name, 'director');
  const filters = JSON.parse(
    run(['tc', '-n', namespace, '-json', 'filter', 'show', 'dev', 'lvsj0', 'ingress']),
  ) as { options?: { prog?: { id: number } } }[];
  const id = filters.find(({ options }) => options?.prog)?.options?.prog?.id;
  if (id === undefined) throw new Error(`no director was found in ${namespace}`);
  return DirectorMaps.byIds(Program.byId(id).info.mapIds);
}
