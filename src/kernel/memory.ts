// What we changed of the namespace beyond our own objects, so that stop can put it back. It lies
// in one of the director's maps: whoever finds the director finds it.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { UserError } from '../util/error.ts';
import type { DirectorMaps } from './maps.ts';

/** name: a path below /proc/sys, or `clsact LINK` for a qdisc that we made. */
export interface Remembered {
  name: string;
  value: string;
}

/** In the order in which they were changed. */
export function readMemory(maps: DirectorMaps): Remembered[] {
  return [...maps.memory.all()].sort(([a], [b]) => a - b).map(([, remembered]) => remembered);
}

/** The first value is what was there before us: later ones are our own. */
export function remember(maps: DirectorMaps, name: string, value: string): void {
  const known = readMemory(maps);
  if (known.some((entry) => entry.name === name)) return;
  maps.memory.set(known.length, { name, value });
}

const sysctlPath = (name: string): string => `/proc/sys/${name}`;

/** The value, or undefined where this kernel or namespace has none. */
export function readSysctl(name: string): string | undefined {
  const path = sysctlPath(name);
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : undefined;
}

function writeSysctl(name: string, value: string): void {
  try {
    writeFileSync(sysctlPath(name), value);
  } catch (error) {
    throw new UserError(`set sysctl ${name} to ${value}: ${(error as Error).message}`);
  }
}

/** Sets a sysctl unless it is so already, and remembers what it was. */
export function changeSysctl(maps: DirectorMaps, name: string, value: string): void {
  const before = readSysctl(name);
  if (before === undefined || before === value) return;
  remember(maps, name, before);
  writeSysctl(name, value);
}

/** Puts every sysctl back, last change first; those of links that are gone are gone too. */
export function restoreSysctls(memory: Remembered[]): void {
  for (const { name, value } of memory.toReversed())
    if (!name.startsWith('clsact ') && existsSync(sysctlPath(name))) writeSysctl(name, value);
}
