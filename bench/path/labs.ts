// The labs of this run: their names, and their end.

import { labDown, labList } from '../../src/lab/lab.ts';
import { inHost } from '../../src/lab/place.ts';
import type { Lab } from '../../src/lab/topology.ts';
import { run } from '../../src/util/run.ts';

const ownName = /^bench-(\d+)-/;
export const labName = (name: string): string => `bench-${process.pid}-${name}`;

/** Takes down the labs of this run; of earlier ones too, if those were killed. */
export async function clearLabs(): Promise<void> {
  for (const { name } of labList()) {
    const pid = Number(ownName.exec(name)?.[1]);
    if (pid === process.pid || (pid && !isAlive(pid))) await labDown(name);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

export interface Link {
  ifindex: number;
  address: string;
}

export function readLink(namespace: string, link: string): Link {
  const shown = run(['ip', '-n', namespace, '-json', 'link', 'show', 'dev', link]);
  const [found] = JSON.parse(shown) as Link[];
  if (!found) throw new Error(`no link ${link} in ${namespace}`);
  return found;
}

/** Shell, on the lab's director. */
export const onDirector = (lab: Lab, script: string): string =>
  run(inHost(lab.name, 'director', ['sh', '-ec', script]));
