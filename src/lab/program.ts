// Programs of the lab that run beside it until somebody ends them.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { UserError } from '../util/error.ts';
import { inHost } from './place.ts';

/** A program of this folder as it is started. */
export const programOf = (file: string): string[] => [
  process.execPath,
  fileURLToPath(new URL(file, import.meta.url)),
];

/** Starts a program on a host; comes back when it has said `ready`, with what ends it. */
export async function startProgram(
  name: string,
  host: string,
  argv: string[],
): Promise<() => Promise<void>> {
  const [command, ...args] = inHost(name, host, argv);
  const child = spawn(command as string, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const said = await Promise.race([once(child.stdout, 'data'), ended]);
  if (!String(said[0]).includes('ready'))
    throw new UserError(`"${argv.join(' ')}" on ${host} ended before it was ready`);
  return async () => {
    child.kill();
    await ended;
  };
}
