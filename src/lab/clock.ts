// One clock for all programs of a lab: what one wrote down can be compared with what another did.

/** Milliseconds since the machine started: the same in each process, and it never jumps. */
export const clockMs = (): number => Number(process.hrtime.bigint()) / 1e6;
