// One BPF map by its file descriptor: bytes in, bytes out. Typed maps are in maps.ts.

import { UserError } from '../util/error.ts';
import * as libbpf from './libbpf.ts';

/** enum bpf_map_type of <linux/bpf.h>, as far as we make or read them. */
export const mapType = {
  hash: 1,
  array: 2,
  percpuArray: 6,
  arrayOfMaps: 12,
  hashOfMaps: 13,
} as const;

const ENOENT = -2;
const ENOSPC = -28;
const BPF_F_NO_PREALLOC = 1;
const BPF_F_MMAPABLE = 1 << 10;
const BPF_F_INNER_MAP = 1 << 12;
/** BPF_OBJ_NAME_LEN less the NUL: the kernel keeps no more of a name. */
export const nameLength = 15;

export interface MapInfo {
  type: number;
  id: number;
  keySize: number;
  valueSize: number;
  maxEntries: number;
  flags: number;
  name: string;
}

/** Offsets are those of struct bpf_map_info. */
function readMapInfo(fd: number): MapInfo {
  const info = Buffer.alloc(96);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(info.length);
  libbpf.check(libbpf.infoByFd(fd, info, length), 'read what the kernel knows of a BPF map');
  const name = info.subarray(24, 40);
  return {
    type: info.readUInt32LE(0),
    id: info.readUInt32LE(4),
    keySize: info.readUInt32LE(8),
    valueSize: info.readUInt32LE(12),
    maxEntries: info.readUInt32LE(16),
    flags: info.readUInt32LE(20),
    name: name.toString('utf8', 0, name.indexOf(0)),
  };
}

export class BpfMap {
  readonly fd: number;
  readonly info: MapInfo;
  /** Bytes of a value as the system call hands it over: one copy a CPU in per-CPU maps. */
  readonly valueSize: number;

  constructor(fd: number) {
    this.fd = fd;
    this.info = readMapInfo(fd);
    const perCpu = this.info.type === mapType.percpuArray;
    this.valueSize = perCpu
      ? Math.ceil(this.info.valueSize / 8) * 8 * libbpf.possibleCpus()
      : this.info.valueSize;
  }

  static byId(id: number): BpfMap {
    return new BpfMap(libbpf.check(libbpf.mapFdById(id), `open BPF map ${id}`));
  }

  /** As byId, but undefined if there is no such map (any more). */
  static tryById(id: number): BpfMap | undefined {
    const fd = libbpf.mapFdById(id);
    return fd === ENOENT ? undefined : new BpfMap(libbpf.check(fd, `open BPF map ${id}`));
  }

  /** A new map; `flags` as in BPF_MAP_CREATE. */
  static create(info: Omit<MapInfo, 'id'>): BpfMap {
    // struct bpf_map_create_opts: sz, four BTF words, inner_map_fd, map_flags.
    const opts = Buffer.alloc(64);
    opts.writeBigUInt64LE(BigInt(opts.length));
    opts.writeUInt32LE(info.flags, 28);
    const { type, name, keySize, valueSize, maxEntries } = info;
    const fd = libbpf.mapCreate(type, name, keySize, valueSize, maxEntries, opts);
    return new BpfMap(libbpf.check(fd, `create BPF map "${name}"`));
  }

  /** The value, or undefined if there is none. */
  get(key: Buffer): Buffer | undefined {
    const value = Buffer.alloc(this.valueSize);
    const result = libbpf.mapLookup(this.fd, key, value);
    if (result === ENOENT) return undefined;
    libbpf.check(result, `read BPF map "${this.info.name}"`);
    return value;
  }

  /** flags: 0 any, 1 only if absent, 2 only if present (BPF_ANY, BPF_NOEXIST, BPF_EXIST). */
  set(key: Buffer, value: Buffer, flags = 0): void {
    if (key.length !== this.info.keySize || value.length !== this.valueSize)
      throw new Error(`map ${this.info.name}: key ${key.length}, value ${value.length} bytes`);
    libbpf.check(libbpf.mapUpdate(this.fd, key, value, flags), `write BPF map "${this.info.name}"`);
  }

  /** All at once: after each single write of a map in a map the kernel waits for running programs. */
  setAll(entries: [key: Buffer, value: Buffer][]): void {
    const count = Buffer.alloc(4);
    count.writeUInt32LE(entries.length);
    const keys = Buffer.concat(entries.map(([key]) => key));
    const values = Buffer.concat(entries.map(([, value]) => value));
    const result = libbpf.mapUpdateBatch(this.fd, keys, values, count, null);
    libbpf.check(result, `write BPF map "${this.info.name}"`);
  }

  /** All at once, as setAll. They must be there. */
  deleteAll(keys: Buffer[]): void {
    const count = Buffer.alloc(4);
    count.writeUInt32LE(keys.length);
    const result = libbpf.mapDeleteBatch(this.fd, Buffer.concat(keys), count, null);
    libbpf.check(result, `delete from BPF map "${this.info.name}"`);
  }

  /** Whether there was one. */
  delete(key: Buffer): boolean {
    const result = libbpf.mapDelete(this.fd, key);
    if (result === ENOENT) return false;
    libbpf.check(result, `delete from BPF map "${this.info.name}"`);
    return true;
  }

  /** Keys one by one: for small maps, and for maps of maps, which know no batches. */
  *keys(): Generator<Buffer> {
    let key: Buffer | null = null;
    for (;;) {
      const next = Buffer.alloc(this.info.keySize);
      if (libbpf.mapNextKey(this.fd, key, next) < 0) return;
      yield next;
      key = next;
    }
  }

  /** All entries, in batches: one system call for thousands. `count`: the first that many only. */
  *entries(count = this.info.maxEntries): Generator<[key: Buffer, value: Buffer]> {
    const { keySize, maxEntries, type } = this.info;
    // A hash bucket is never split over two batches, so a batch must hold the longest chain.
    let size = Math.min(type === mapType.hash ? 16384 : count, maxEntries);
    let position: Buffer | null = null;
    for (let left = count; left > 0; ) {
      const batch = this.#batch(position, Math.min(size, left));
      if (batch.result === ENOSPC) {
        if (size >= maxEntries) throw new UserError(`read BPF map "${this.info.name}": no space`);
        size = Math.min(size * 2, maxEntries);
        continue;
      }
      for (let i = 0; i < batch.count; i++)
        yield [
          batch.keys.subarray(i * keySize, (i + 1) * keySize),
          batch.values.subarray(i * this.valueSize, (i + 1) * this.valueSize),
        ];
      left -= batch.count;
      if (batch.result === ENOENT) return;
      position = batch.next;
    }
  }

  #batch(position: Buffer | null, size: number) {
    const next = Buffer.alloc(Math.max(this.info.keySize, 8));
    const keys = Buffer.allocUnsafe(size * this.info.keySize);
    const values = Buffer.allocUnsafe(size * this.valueSize);
    const counter = Buffer.alloc(4);
    counter.writeUInt32LE(size);
    const result = libbpf.mapLookupBatch(this.fd, position, next, keys, values, counter, null);
    // The count is not written where a bucket did not fit.
    const count = result === ENOSPC ? 0 : counter.readUInt32LE();
    if (result !== ENOENT && result !== ENOSPC)
      libbpf.check(result, `read BPF map "${this.info.name}"`);
    return { result, next, keys, values, count };
  }

  close(): void {
    libbpf.closeFd(this.fd);
  }
}

/** Create flags of a hash whose entries are made on demand. */
export const onDemand = BPF_F_NO_PREALLOC;
/** Of an array in a map of maps, of any number of entries, which begin at a cache line. */
export const alignedInner = BPF_F_MMAPABLE | BPF_F_INNER_MAP;
