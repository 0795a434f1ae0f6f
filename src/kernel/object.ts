// Loads build/director.o into the kernel: programs checked, maps made at their sizes, or those of a
// director that runs.

import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { UserError } from '../util/error.ts';
import * as abi from './abi.gen.ts';
import { loadConntrack } from './ctnetlink.ts';
import * as libbpf from './libbpf.ts';
import { BpfMap, type MapInfo, mapType, onDemand } from './map.ts';
import { DirectorMaps } from './maps.ts';
import { Program } from './program.ts';

export const objectPath = fileURLToPath(new URL('../../build/director.o', import.meta.url));
const verifierLogSize = 1024 * 1024;
const kernelTypes = '/sys/kernel/btf/vmlinux';

/** The director that runs keeps its state in another form than this lvsj does. */
export class FormError extends UserError {
  constructor(what: string) {
    super(`${what}: lvsj upgrade --drain SECONDS replaces it, or use the lvsj that started it`);
  }
}

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
  if (!existsSync(kernelTypes))
    return `the kernel does not tell its types (${kernelTypes}): it needs CONFIG_DEBUG_INFO_BTF`;
  // With no log buffer left the verifier answers ENOSPC: the end of the log is lost, not the reason for it.
  if (error === ENOSPC || log[0] !== 0) return `the kernel refused it: ${formatRefusal(log)}`;
  const hint = error === EINVAL ? ' (it needs Linux 6.1 or newer with CONFIG_LWTUNNEL_BPF)' : '';
  return `${libbpf.errorText(error)}${hint}`;
}

function requireFile(path: string): void {
  if (!existsSync(path)) throw new UserError(`${path} is missing: run make build in the checkout`);
}

/** Tells one object file from another. */
export function readDigest(path = objectPath): Buffer {
  requireFile(path);
  return createHash('sha256').update(readFileSync(path)).digest();
}

/** What runs in routes: the kernel calls it encap bpf. */
export interface RoutePrograms {
  director: Program;
  uplinkOut: Program;
}

/** A loaded object; its programs and maps live as long as something holds them. */
export class DirectorObject {
  readonly #path: string;
  readonly #object: libbpf.Pointer;

  /**
   * path: of another object than the director's (the benchmarks have some). running: the maps of a
   * director that runs, which the programs then work on; those that it lacks are made.
   */
  constructor(path = objectPath, running?: DirectorMaps) {
    this.#path = path;
    requireFile(path);
    const log = Buffer.alloc(verifierLogSize);
    const object = libbpf.objectOpen(path, openOpts(log));
    if (object === null) throw new UserError(`open ${path}: ${libbpf.errorText(libbpf.errno())}`);
    this.#object = object;
    try {
      if (running) this.#takeMaps(running);
      // Its types must be known by then: see bpf/conntrack.h.
      loadConntrack();
      const error = libbpf.objectLoad(object);
      if (error < 0) throw new UserError(`load the eBPF programs: ${explainRefusal(error, log)}`);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  #takeMaps({ byName }: DirectorMaps): void {
    for (const name of mapNames) {
      const have = byName.get(name);
      if (have && name !== digestMap) takeMap(this.#find(name), have);
    }
  }

  #find(name: string): libbpf.Pointer {
    const map = libbpf.objectMap(this.#object, name);
    if (map === null) throw new Error(`${this.#path} has no map "${name}"`);
    return map;
  }

  map(name: string): BpfMap {
    return new BpfMap(libbpf.mapFdOf(this.#find(name)));
  }

  /** All that tools must find; descriptors that go with the object. */
  maps(): DirectorMaps {
    return new DirectorMaps(mapNames.map((name) => this.map(name)));
  }

  /**
   * lvsj_control, by which others find all maps: those that no program uses, too. What it was loaded
   * from lies beside it, and beside those of routes.
   */
  bindControl(): Program {
    const control = this.program('lvsj_control');
    const bind = (program: Program, map: BpfMap): void => {
      const tried = `bind map ${map.info.name}`;
      libbpf.check(libbpf.programBindMap(program.fd, map.fd, null), tried);
    };
    for (const name of mapNames) bind(control, this.map(name));
    const digest = this.map(digestMap);
    digest.set(Buffer.alloc(4), readDigest(this.#path));
    for (const program of Object.values(this.routePrograms())) bind(program, digest);
    return control;
  }

  program(name: string): Program {
    const program = libbpf.objectProgram(this.#object, name);
    if (program === null) throw new Error(`${this.#path} has no program "${name}"`);
    return new Program(libbpf.programFdOf(program));
  }

  routePrograms(): RoutePrograms {
    return {
      director: this.program('lvsj_director'),
      uplinkOut: this.program('lvsj_uplink_out'),
    };
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

/** Holds readDigest of what the programs were loaded from. */
export const digestMap = 'object';

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
  'gateway_evidence',
  'fast_up',
  'fast_down',
  'fast_lessons',
  'fast_guards',
  'settings',
  'table_counts',
  'verdicts',
  'requests',
  'clocks',
  'slot_zeros',
  'memory',
  'applied',
  digestMap,
] as const;

type Shape = Pick<MapInfo, 'type' | 'keySize' | 'valueSize'>;

const shapeOf = (map: libbpf.Pointer): Shape => ({
  type: libbpf.mapTypeOf(map),
  keySize: libbpf.mapKeySizeOf(map),
  valueSize: libbpf.mapValueSizeOf(map),
});

/** Of the maps in a map, as far as there are any. */
function innerShape(map: BpfMap): Shape | undefined {
  const { value: key } = map.keys().next();
  const id = key && map.get(key)?.readUInt32LE();
  const inner = id === undefined ? undefined : BpfMap.tryById(id);
  inner?.close();
  return inner?.info;
}

/** How many entries a map has room for is the running one's affair. */
function takeMap(map: libbpf.Pointer, have: BpfMap): void {
  const same = (want: Shape, { type, keySize, valueSize }: Shape): boolean =>
    want.type === type && want.keySize === keySize && want.valueSize === valueSize;
  const inner = libbpf.mapInner(map);
  const haveInner = inner === null ? undefined : innerShape(have);
  if (!same(shapeOf(map), have.info) || (haveInner && !same(shapeOf(inner), haveInner)))
    throw new FormError(
      `the director that runs here has a map "${have.info.name}" of another form than this lvsj's`,
    );
  libbpf.check(libbpf.mapReuseFd(map, have.fd), `take over BPF map "${have.info.name}"`);
}

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
