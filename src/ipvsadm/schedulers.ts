// The schedulers that a service may name, and what `-b` calls the three flags of each.

import { flagNames, genericFlags, namedFlags } from '../model/scheduler.ts';
import { exit, UserError } from '../util/error.ts';

/**
 * Scheduler name -> the flags it allows, by bit. A new scheduler of the datapath needs one line
 * here.
 */
export const schedulers: ReadonlyMap<string, readonly string[]> = new Map(
  'rr wrr lc wlc lblc lblcr dh sh sed nq fo ovf mh lbw lrtt'
    .split(' ')
    .map((name) => [name, flagNames(name)]),
);

/** Bit of a flag word: the generic names fit every scheduler, the others only their own. */
function flagBit(word: string, scheduler: string): number {
  const numbered = genericFlags.indexOf(word);
  if (numbered >= 0) return numbered;
  for (const [owner, names] of Object.entries(namedFlags)) {
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
  return flagNames(scheduler).filter((_, bit) => bits.has(bit));
}
