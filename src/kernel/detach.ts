// Starts lvsj once more, apart from the terminal and the process that started it.

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../cli/main.ts', import.meta.url));

export function detach(args: string[]): void {
  const child = spawn(process.execPath, [program, ...args], { detached: true, stdio: 'ignore' });
  child.unref();
}
