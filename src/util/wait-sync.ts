// Waits for a condition where nothing else is to be done meanwhile.

const pollMs = 20;
const cell = new Int32Array(new SharedArrayBuffer(4));

/** Whether it came true within the deadline. */
export function waitSync(condition: () => boolean, deadlineMs: number): boolean {
  const end = performance.now() + deadlineMs;
  while (!condition()) {
    if (performance.now() > end) return false;
    Atomics.wait(cell, 0, 0, pollMs);
  }
  return true;
}
