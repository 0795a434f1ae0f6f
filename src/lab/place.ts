// Where a lab is on the machine: its namespaces and its directory, and how a program is started there.

import { namespaceOf } from './topology.ts';

export const runDirectory = '/run/lvsj';

/** The lab's files: logs, leases. */
export const directoryOf = (name: string): string => `${runDirectory}/lab-${name}`;

/** `argv` as it must be started on the machine to run on a lab's host: for run(), tryRun(), spawn(). */
export function inHost(name: string, host: string, argv: string[]): string[] {
  return ['ip', 'netns', 'exec', namespaceOf(name, host), ...argv];
}
