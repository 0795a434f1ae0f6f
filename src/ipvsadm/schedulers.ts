// `-b`: the flags of a scheduler as ipvsadm takes them.

import { flagBit, flagNames, namedFlags } from '../model/scheduler.ts';
import { exit, UserError } from '../util/error.ts';

/** Bit of a flag word: the generic names fit every scheduler, the others only their own. */
function bitOf(word: string, scheduler: string): number {
  const bit = flagBit(word, scheduler);
  if (bit !== undefined) return bit;
  const incompatible = Object.values(namedFlags).some((names) => names.includes(word));
  throw new UserError(
    `${incompatible ? 'incompatible' : 'invalid'} scheduler flag \`${word}'`,
    exit.usage,
  );
}

/**
 * Reads `-b`: names in the order of their bits, each once. A flag that the scheduler has no name
 * for (flag-3 of sh) is accepted and has no effect, as in ipvsadm.
 */
export function parseSchedulerFlags(text: string, scheduler: string): string[] {
  const words = text.split(',').filter((word) => word !== '');
  const bits = new Set(words.map((word) => bitOf(word, scheduler)));
  return flagNames(scheduler).filter((_, bit) => bits.has(bit));
}
