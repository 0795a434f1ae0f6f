// Which programs are installed.

import { UserError } from '../util/error.ts';
import { tryRun } from '../util/run.ts';

/** As it tells by this option; '' where it is not installed. */
export function readVersion(name: string, option: string): string {
  try {
    const { stdout, stderr } = tryRun([name, option]);
    return (stdout || stderr).split('\n')[0] || 'unknown';
  } catch (error) {
    // Not there.
    if (error instanceof UserError) return '';
    throw error;
  }
}

export const isInstalled = (program: string): boolean => readVersion(program, '-V') !== '';
