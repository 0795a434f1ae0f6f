// What `-b` calls the three flags of a scheduler.

/** The generic names, which fit every scheduler, by bit. */
export const genericFlags: readonly string[] = ['flag-1', 'flag-2', 'flag-3'];

/** Scheduler -> names of its own. */
export const namedFlags: Readonly<Record<string, readonly string[]>> = {
  sh: ['sh-fallback', 'sh-port'],
  mh: ['mh-fallback', 'mh-port'],
};

/** The names under which a scheduler's flags are shown, by bit. */
export const flagNames = (scheduler: string): readonly string[] =>
  namedFlags[scheduler] ?? genericFlags;
