// One BPF program by its file descriptor: what the kernel knows of it, and running it by hand.

import * as libbpf from './libbpf.ts';

export interface ProgramInfo {
  id: number;
  name: string;
  mapIds: number[];
  /** Instructions that the verifier walked: its price, and what our budget bounds. */
  verifiedInstructions: number;
}

/** Bytes of struct __sk_buff that BPF_PROG_TEST_RUN takes and returns. */
const skbSize = 192;
const EINTR = -4;
/** Offsets in struct __sk_buff. */
export const skb = { mark: 8, ifindex: 40, segments: 164 } as const;

export interface RunOptions {
  /** The packet's before. */
  mark?: number;
  /** The link that it came from. */
  ifindex?: number;
  /** Packets on the wire that GRO made one of. */
  segments?: number;
  repeat?: number;
}

export interface Run {
  /** What the program returned, as a signed number. */
  retval: number;
  /** The packet's mark afterwards. */
  mark: number;
  /** ns a run, averaged by the kernel over `repeat`. */
  duration: number;
}

export class Program {
  readonly fd: number;

  constructor(fd: number) {
    this.fd = fd;
  }

  static byId(id: number): Program {
    return new Program(libbpf.check(libbpf.programFdById(id), `open BPF program ${id}`));
  }

  /** The first of this machine's programs that suits. */
  static find(suits: (info: ProgramInfo) => boolean): Program | undefined {
    const next = Buffer.alloc(4);
    for (let id = 0; libbpf.programNextId(id, next) === 0; ) {
      id = next.readUInt32LE();
      const fd = libbpf.programFdById(id);
      // It may have gone in between.
      if (fd < 0) continue;
      const program = new Program(fd);
      if (suits(program.info)) return program;
      libbpf.closeFd(fd);
    }
    return undefined;
  }

  /** Offsets are those of struct bpf_prog_info. */
  get info(): ProgramInfo {
    const count = this.#readInfo(Buffer.alloc(256)).readUInt32LE(52);
    const ids = Buffer.alloc(count * 4);
    const info = Buffer.alloc(256);
    info.writeUInt32LE(count, 52);
    info.writeBigUInt64LE(libbpf.addressOf(ids), 56);
    this.#readInfo(info);
    const name = info.subarray(64, 80);
    return {
      id: info.readUInt32LE(4),
      name: name.toString('utf8', 0, name.indexOf(0)),
      mapIds: Array.from({ length: count }, (_, i) => ids.readUInt32LE(i * 4)),
      verifiedInstructions: info.readUInt32LE(216),
    };
  }

  #readInfo(info: Buffer): Buffer {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(info.length);
    libbpf.check(libbpf.infoByFd(this.fd, info, length), 'read what the kernel knows of a program');
    return info;
  }

  /** Runs it on a packet (with Ethernet header). */
  run(packet: Buffer, options: RunOptions = {}): Run {
    const context = Buffer.alloc(skbSize);
    context.writeUInt32LE(options.mark ?? 0, skb.mark);
    context.writeUInt32LE(options.ifindex ?? 0, skb.ifindex);
    context.writeUInt32LE(options.segments ?? 0, skb.segments);
    const opts = { ...emptyRun(), repeat: options.repeat ?? 1 };
    opts.data_in = packet;
    opts.data_size_in = packet.length;
    opts.ctx_in = context;
    opts.ctx_size_in = context.length;
    // Kept apart: koffi writes the struct's pointers back as numbers.
    const after = Buffer.alloc(skbSize);
    opts.ctx_out = after;
    opts.ctx_size_out = skbSize;
    let result: number;
    // A signal of the runtime's (its timers, its garbage collector) ends a long run.
    do result = libbpf.testRun(this.fd, opts);
    while (result === EINTR);
    libbpf.check(result, 'run a BPF program');
    return {
      retval: opts.retval | 0,
      mark: after.readUInt32LE(skb.mark),
      duration: opts.duration,
    };
  }

  close(): void {
    libbpf.closeFd(this.fd);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

const emptyRun = (): libbpf.TestRunOpts => ({
  sz: libbpf.structSize.testRun,
  data_in: null,
  data_out: null,
  data_size_in: 0,
  data_size_out: 0,
  ctx_in: null,
  ctx_out: null,
  ctx_size_in: 0,
  ctx_size_out: 0,
  retval: 0,
  repeat: 0,
  duration: 0,
  flags: 0,
  cpu: 0,
  batch_size: 0,
});
