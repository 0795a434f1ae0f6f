// Waits for a condition, never for a time.

import { setTimeout as delay } from 'node:timers/promises';
import { UserError } from './error.ts';

const pollMs = 5;

/** Asks until `condition` holds; a UserError that names `what` if it does not within the deadline. */
export async function waitUntil(
  what: string,
  condition: () => boolean | Promise<boolean>,
  deadlineMs = 5000,
): Promise<void> {
  const end = performance.now() + deadlineMs;
  while (!(await condition())) {
    if (performance.now() > end) {
      throw new UserError(`${what}: did not happen within ${deadlineMs / 1000} s`);
    }
    await delay(pollMs);
  }
}
