// Which programs the kernel has of a director.

import type { Director } from '../../src/kernel/director.ts';
import { Program } from '../../src/kernel/program.ts';

/** Ids of the programs on a running director's maps: all, or those of a name. */
export function programsOf({ maps }: Director, name?: string): number[] {
  const { id } = maps.map('verdicts').info;
  const ids: number[] = [];
  Program.find((info) => {
    if (info.mapIds.includes(id) && (name === undefined || info.name === name)) ids.push(info.id);
    return false;
  });
  return ids;
}
