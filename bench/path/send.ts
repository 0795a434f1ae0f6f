// node bench/path/send.ts PROGRAM LOAD LINK FRAME FLOWS PACKETS: runs a sender of path.bpf.c in the network
// namespace that it is started in, and prints as JSON what that took. A process of its own, for a process has
// one namespace. PROGRAM and LOAD are the kernel's numbers of the program and of its map.

import { readdirSync, readFileSync } from 'node:fs';
import { interfaceIndex } from '../../src/kernel/libbpf.ts';
import { BpfMap } from '../../src/kernel/map.ts';
import { Program } from '../../src/kernel/program.ts';

export interface Sent {
  sent: number;
  failed: number;
  /** Of the whole path, averaged by the kernel over all packets. */
  nsPerPacket: number;
  /** Work of this CPU's ksoftirqd meanwhile, in ns: not in nsPerPacket. */
  asideNs: number;
}

/** Nanoseconds that this CPU's ksoftirqd ran. */
function ksoftirqdNs(): number {
  const cpu = /^Cpus_allowed_list:\s*(\d+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  if (cpu === undefined) throw new Error('send.ts must be bound to one CPU');
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    try {
      if (readFileSync(`/proc/${pid}/comm`, 'utf8') !== `ksoftirqd/${cpu}\n`) continue;
      return Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0]);
    } catch {
      // It has ended, or this kernel keeps no such figures.
    }
  }
  return 0;
}

export interface Load {
  program: number;
  load: number;
  link: string;
  frame: Buffer;
  flows: number;
  packets: number;
}

function send({ program, load, link, frame, flows, packets }: Load): Sent {
  const counts = BpfMap.byId(load);
  const key = Buffer.alloc(4);
  const value = Buffer.alloc(24);
  value.writeUInt32LE(flows, 16);
  value.writeUInt32LE(interfaceIndex(link), 20);
  counts.set(key, value);
  const before = ksoftirqdNs();
  const { duration } = Program.byId(program).run(frame, { repeat: packets });
  const asideNs = ksoftirqdNs() - before;
  const after = counts.get(key) ?? value;
  return {
    sent: Number(after.readBigUInt64LE(0)),
    failed: Number(after.readBigUInt64LE(8)),
    nsPerPacket: duration,
    asideNs,
  };
}

/** `argv` of this program, to be started where the packets begin. */
export const sendArgv = ({ program, load, link, frame, flows, packets }: Load): string[] => [
  process.execPath,
  import.meta.filename,
  ...[program, load, link, frame.toString('hex'), flows, packets].map(String),
];

if (import.meta.main) {
  const [program, load, link = '', frame = '', flows, packets] = process.argv.slice(2);
  const numbers = { flows: Number(flows), packets: Number(packets) };
  const ids = { program: Number(program), load: Number(load) };
  const sent = send({ ...ids, link, frame: Buffer.from(frame, 'hex'), ...numbers });
  process.stdout.write(JSON.stringify(sent));
}
