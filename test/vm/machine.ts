// A virtual machine with Debian's own kernel and this machine's files: whatever is written there is gone at its
// end. It needs no hardware's help (KVM), and so runs about ten times slower.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { UserError } from '../../src/util/error.ts';
import { type Kernel, prepareKernel } from './kernel.ts';

const guest = fileURLToPath(new URL('guest.sh', import.meta.url));
export const checkout = fileURLToPath(new URL('../..', import.meta.url));

export interface BootOptions {
  /** Its clock counts instructions, one a nanosecond, and stands still for nobody: one CPU. */
  counted: boolean;
  minutes: number;
  /** What the command prints. */
  output: Writable;
}

/** Runs a command of the shell as root, in the checkout's folder; its exit status. */
export async function boot(command: string, options: BootOptions): Promise<number> {
  const kernel = prepareKernel();
  const share = mkdtempSync(join(tmpdir(), 'lvsj-vm-'));
  try {
    copyFileSync(guest, join(share, 'guest.sh'));
    writeFileSync(join(share, 'modules'), `${kernel.modules}\n`);
    const path = 'PATH=$PWD/node_modules/.bin:$PATH NODE_COMPILE_CACHE=$PWD/.cache/node';
    writeFileSync(join(share, 'command'), `cd '${checkout}'; export ${path}\n${command}\n`);
    await emulate(machineArguments(kernel, share, options), options);
    return readStatus(share);
  } finally {
    rmSync(share, { recursive: true });
  }
}

function readStatus(share: string): number {
  const file = join(share, 'status');
  if (existsSync(file)) return Number(readFileSync(file, 'utf8'));
  const console = readFileSync(join(share, 'console'), 'utf8').split('\n').slice(-10).join('\n');
  throw new UserError(`the virtual machine came to no end; its console's last lines:\n${console}`);
}

async function emulate(words: string[], { minutes, output }: BootOptions): Promise<void> {
  const timeout = minutes * 60_000;
  // Its input stays open: at the end of it qemu would take nothing from the guest any more.
  const stdio: ['pipe', 'pipe', 'inherit'] = ['pipe', 'pipe', 'inherit'];
  const qemu = spawn('qemu-system-x86_64', words, { stdio, timeout, killSignal: 'SIGKILL' });
  const ended = once(qemu, 'exit');
  await pipeline(qemu.stdout, output, { end: false });
  await ended;
}

function machineArguments(
  { image, initrd }: Kernel,
  share: string,
  options: BootOptions,
): string[] {
  const nineP = (id: string, path: string, readonly = ''): string[] => [
    ...['-fsdev', `local,id=${id},path=${path},security_model=none,multidevs=remap${readonly}`],
    ...['-device', `virtio-9p-pci,fsdev=${id},mount_tag=${id}`],
  ];
  const clock = options.counted
    ? ['-accel', 'tcg,thread=single,tb-size=512', '-icount', 'shift=0,sleep=off', '-smp', '1']
    : ['-accel', 'tcg,thread=multi,tb-size=512', '-smp', '2'];
  return [
    ...['-M', 'q35', '-cpu', 'max', '-m', '3072', ...clock],
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot'],
    ...['-kernel', image, '-initrd', initrd],
    '-append',
    'console=ttyS0 panic=-1 quiet nokaslr mitigations=off random.trust_cpu=on tsc=reliable',
    ...['-serial', `file:${join(share, 'console')}`],
    ...['-chardev', 'stdio,id=out,signal=off', '-device', 'virtio-serial-pci'],
    ...['-device', 'virtserialport,chardev=out,name=out'],
    ...nineP('host', '/', ',readonly=on'),
    ...nineP('share', share),
  ];
}
