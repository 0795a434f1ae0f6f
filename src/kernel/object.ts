// Loads build/director.o into the kernel: programs checked, maps made at their sizes.

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { UserError } from '../util/error.ts';
import * as abi from './abi.gen.ts';
import * as libbpf from './libbpf.ts';
import { BpfMap, mapType, onDemand } from './map.ts';
import type { DirectorMaps } from './maps.ts';
import { Program } from './program.ts';

const objectPath = fileURLToPath(new URL('../../build/director.o', import.meta.url));
const verifierLogSize = 1024 * 1024;

const EPERM = -1;
const EINVAL = -22;
const ENOSPC = -28;

/** What the verifier said last that is no statistics: the reason. */
function formatRefusal(log: Buffer): string {
  const text = log.toString('utf8', 0, Math.max(0, log.indexOf(0)));
  const lines = text
    .split('\n')
    .filter((line) => line !== '' && !/^(processed|verification time|stack depth)/.test(line));
  return lines.at(-1) ?? 'no reason given';
}

function explainRefusal(error: number, log: Buffer): string {
  if (error === EPERM)
    return 'Operation not permitted: run it as root (it needs CAP_BPF and CAP_NET_ADMIN)';
  // With no log buffer left the verifier answers ENOSPC: the end of the log is lost, not the reason for it.
  if (error === ENOSPC || log[0] !== 0) return `the kernel refused it: ${formatRefusal(log)}`;
  const hint = error === EINVAL ? ' (it needs Linux 6.1 or newer with CONFIG_LWTUNNEL_BPF)' : '';
  return `${libbpf.errorText(error)}${hint}`;
}

/** A loaded object; its programs and maps live as long as something holds them. */
export class DirectorObject {
  readonly #path: string;
  readonly #object: libbpf.Pointer;

  /** path: of another object than the director's (the benchmarks have some); maps: of one that runs, to go on with. */
  constructor(path = objectPath, maps?: DirectorMaps) {
    this.#path = path;
    if (!existsSync(path))
      throw new UserError(`${path} is missing: run make build in the checkout`);
    const log = Buffer.alloc(verifierLogSize);
    const object = libbpf.objectOpen(path, openOpts(log));
    if (object === null) throw new UserError(`open ${path}: ${libbpf.errorText(libbpf.errno())}`);
    this.#object = object;
    if (maps) this.#reuse(maps);
    const error = libbpf.objectLoad(object);
    if (error < 0) {
      this.close();
      throw new UserError(`load the eBPF programs: ${explainRefusal(error, log)}`);
    }
  }

  /** Before it is loaded: what the programs know stays known. */
  #reuse(maps: DirectorMaps): void {
    for (const name of mapNames) {
      const map = libbpf.objectMap(this.#object, name);
      if (map === null) throw new Error(`${this.#path} has no map "${name}"`);
      libbpf.check(libbpf.mapReuse(map, maps.map(name).fd), `reuse map ${name}`);
    }
  }

  map(name: string): BpfMap {
    const map = libbpf.objectMap(this.#object, name);
    if (map === null) throw new Error(`${this.#path} has no map "${name}"`);
    return new BpfMap(libbpf.mapFdOf(map));
  }

  program(name: string): Program {
    const program = libbpf.objectProgram(this.#object, name);
    if (program === null) throw new Error(`${this.#path} has no program "${name}"`);
    return new Program(libbpf.programFdOf(program));
  }

  close(): void {
    libbpf.objectClose(this.#object);
  }
}

const openOpts = (log: Buffer): libbpf.OpenOpts => ({
  sz: libbpf.structSize.open,
  object_name: null,
  relaxed_maps: false,
  pin_root_path: null,
  unused: 0,
  kconfig: null,
  btf_custom_path: null,
  kernel_log_buf: log,
  kernel_log_size: log.length,
  kernel_log_level: 0,
});

/** Names of all maps of bpf/maps.h and timer.h that tools must find. */
export const mapNames = [
  'connections',
  'services',
  'service_cursors',
  'slots',
  'slot_counts',
  'slot_stats',
  'slot_rates',
  'mh_tables',
  'server_choices',
  'gateways',
  'gateway_bytes',
  'gateway_loads',
  'settings',
  'table_counts',
  'verdicts',
  'requests',
  'clocks',
  'slot_zeros',
  'memory',
  'applied',
] as const;

/**
 * How many entries a shard must have room for: its share, and five standard deviations of what
 * chance adds to the fullest. The limit of the table itself is kept by the program.
 */
export function shardSize(limit: number): number {
  const share = limit / abi.limits.SHARDS;
  return Math.max(64, Math.ceil(share + 5 * Math.sqrt(share)));
}

/** The shards of a table for `limit` connections. */
export function createShards(connections: BpfMap, limit: number): void {
  const maxEntries = shardSize(limit);
  const shards = Array.from({ length: abi.limits.SHARDS }, () =>
    BpfMap.create({
      type: mapType.hash,
      name: 'conn_shard',
      keySize: abi.connKeyLayout.size,
      valueSize: abi.connLayout.size,
      maxEntries,
      flags: onDemand,
    }),
  );
  const word = (number: number): Buffer => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(number);
    return bytes;
  };
  connections.setAll(shards.map((map, shard) => [word(shard), word(map.fd)]));
  for (const map of shards) map.close();
}
