// The processes of network namespaces: listed, and ended.

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { waitUntil } from '../util/wait-until.ts';

/** Ends all processes of the namespaces at these paths: asks, and after a moment no longer asks. */
export async function endProcesses(namespacePaths: string[]): Promise<void> {
  const namespaces = new Set(namespacePaths.map(identity));
  // `lvsj lab down` may itself run on a host of the lab.
  const find = () => processesIn(namespaces).filter((pid) => pid !== process.pid);
  const signalAll = (signal: NodeJS.Signals) => {
    const found = find();
    for (const pid of found) signalProcess(pid, signal);
    return found.length === 0;
  };
  if (signalAll('SIGTERM')) return;
  await waitUntil('end of processes', () => find().length === 0, 500).catch(() => {});
  await waitUntil('end of killed processes', () => signalAll('SIGKILL'));
}

/** Command lines of all processes of the namespace at this path. */
export function listProcesses(namespacePath: string): string[] {
  return processesIn(new Set([identity(namespacePath)])).flatMap((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
    } catch {
      // It has ended since.
      return [];
    }
  });
}

/** From /proc and not from `ip netns pids`, which would list itself where it runs in the namespace. */
function processesIn(namespaces: Set<string | undefined>): number[] {
  const pids = readdirSync('/proc').map(Number).filter(Number.isInteger);
  return pids.filter((pid) => {
    const own = identity(`/proc/${pid}/ns/net`);
    return own !== undefined && namespaces.has(own);
  });
}

/** What is the same for two paths to one namespace; nothing if the process has ended meanwhile. */
function identity(path: string): string | undefined {
  try {
    const { dev, ino } = statSync(path);
    return `${dev}:${ino}`;
  } catch {
    return undefined;
  }
}

function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // It ended by itself.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
