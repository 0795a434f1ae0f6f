// The schedulers that a service may name, and what `-b` calls the three flags of each.

/** The generic names, which fit every scheduler, by bit. */
export const genericFlags: readonly string[] = ['flag-1', 'flag-2', 'flag-3'];

/** Scheduler -> names of its own. */
export const namedFlags: Readonly<Record<string, readonly string[]>> = {
  sh: ['sh-fallback', 'sh-port'],
  mh: ['mh-fallback', 'mh-port'],
};

/** The names under which a scheduler's flags are shown, by bit. */
export const flagNames = (scheduler: string): readonly string[] =>
  (Object.hasOwn(namedFlags, scheduler) ? namedFlags[scheduler] : undefined) ?? genericFlags;

/**
 * Scheduler name -> the flags it allows, by bit. A new scheduler of the datapath needs one line
 * here.
 */
export const schedulers: ReadonlyMap<string, readonly string[]> = new Map(
  'rr wrr lc wlc lblc lblcr dh sh sed nq fo ovf mh lbw lrtt'
    .split(' ')
    .map((name) => [name, flagNames(name)]),
);

/** Bit of a flag's name: the generic names fit every scheduler, the others only their own. */
export function flagBit(word: string, scheduler: string): number | undefined {
  const bits = [genericFlags.indexOf(word), flagNames(scheduler).indexOf(word)];
  return bits.find((bit) => bit >= 0);
}
