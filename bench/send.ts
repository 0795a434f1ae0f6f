// node bench/send.ts LINK FRAME FLOWS PACKETS: sends from the network namespace that it is started in,
// and prints as JSON what that took. A process of its own, for a process has one namespace.

import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { interfaceIndex } from '../src/kernel/libbpf.ts';
import { DirectorObject } from '../src/kernel/object.ts';

/** build/bench/path.o, made from bench/path.bpf.c. */
export const pathObject = fileURLToPath(new URL('../build/bench/path.o', import.meta.url));

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

function send(link: string, frame: Buffer, flows: number, packets: number): Sent {
  const object = new DirectorObject(pathObject);
  const load = object.map('load');
  const key = Buffer.alloc(4);
  const value = Buffer.alloc(24);
  value.writeUInt32LE(flows, 16);
  value.writeUInt32LE(interfaceIndex(link), 20);
  load.set(key, value);
  const before = ksoftirqdNs();
  const { duration } = object.program('send').run(frame, { repeat: packets });
  const asideNs = ksoftirqdNs() - before;
  const after = load.get(key) ?? value;
  object.close();
  return {
    sent: Number(after.readBigUInt64LE(0)),
    failed: Number(after.readBigUInt64LE(8)),
    nsPerPacket: duration,
    asideNs,
  };
}

if (import.meta.main) {
  const [link = '', frame = '', flows, packets] = process.argv.slice(2);
  const sent = send(link, Buffer.from(frame, 'hex'), Number(flows), Number(packets));
  process.stdout.write(JSON.stringify(sent));
}
