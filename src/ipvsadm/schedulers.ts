// The schedulers that a service may name, and what `-b` calls the three flags of each.

import { exit, UserError } from '../util/error.ts';

const generic: readonly string[] = ['flag-1', 'flag-2', 'flag-3'];

/**
 * Flags that have names of their own, by bit. mh is here before it is a scheduler: its names must
 * be told apart from typos.
 */
const named = {
  sh: ['sh-fallback', 'sh-port'],
  mh: ['mh-fallback', 'mh-port'],
} as const satisfies Record<string, readonly string[]>;

/**
 * Scheduler name -> the flags it allows, by bit. A new scheduler of the datapath needs one line
 * here.
 */
export const schedulers: ReadonlyMap<string, readonly string[]> = new Map<
  string,
  readonly string[]
>([
  ['rr', generic],
  ['wrr', generic],
  ['lc', generic],
  ['wlc', generic],
  ['sh', named.sh],
]);

/** Bit of a flag word: the generic names fit every scheduler, the others only their own. */
function flagBit(word: string, scheduler: string): number {
  const numbered = generic.indexOf(word);
  if (numbered >= 0) return numbered;
  for (const [owner, names] of Object.entries<readonly string[]>(named)) {
    const bit = names.indexOf(word);
    if (bit < 0) continue;
    if (owner === scheduler) return bit;
    throw new UserError(`incompatible scheduler flag \`${word}'`, exit.usage);
  }
  throw new UserError(`invalid scheduler flag \`${word}'`, exit.usage);
}

/**
 * Reads `-b`: names in the order of their bits, each once. A flag that the scheduler has no name
 * for (flag-3 of sh) is accepted and has no effect, as in ipvsadm.
 */
export function parseSchedulerFlags(text: string, scheduler: string): string[] {
  const words = text.split(',').filter((word) => word !== '');
  const bits = new Set(words.map((word) => flagBit(word, scheduler)));
  const owner = Object.entries<readonly string[]>(named).find(([name]) => name === scheduler);
  return (owner?.[1] ?? generic).filter((_, bit) => bits.has(bit));
}
