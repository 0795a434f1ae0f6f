// Who judges others by their delays must not wait for the CPU itself.

import { constants, setPriority } from 'node:os';

/** Of what users have us run. */
export const usualPriority = constants.priority.PRIORITY_NORMAL;

/** The systemd unit gives it beforehand, and not the right to take it. */
export function takePriority(): void {
  try {
    setPriority(constants.priority.PRIORITY_HIGH);
  } catch (error) {
    const { info } = error as NodeJS.ErrnoException & { info?: { code?: string } };
    if (info?.code !== 'EACCES' && info?.code !== 'EPERM') throw error;
  }
}
