// Commander, with its exits turned into our one kind of error.

import { type Command, CommanderError } from 'commander';
import { exit, UserError } from '../util/error.ts';

/** Parses; false if help was asked for and printed. A usage error is a UserError with status 2. */
export function parse(command: Command, args: string[]): boolean {
  command.exitOverride().configureOutput({ writeErr: () => {} });
  try {
    command.parse(args, { from: 'user' });
    return true;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return false;
    const reason = error.message.replace(/^error: /, '');
    throw new UserError(`${command.name()}: ${reason}; --help says more`, exit.usage);
  }
}
