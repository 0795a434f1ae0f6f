// Commander, with its exits turned into our one kind of error.

import { type Command, CommanderError } from 'commander';
import { exit, UserError } from '../util/error.ts';

/** Parses and runs actions; false if help was printed. A usage error is a UserError with status 2. */
export async function parse(command: Command, args: string[]): Promise<boolean> {
  for (const each of [command, ...command.commands])
    each.exitOverride().configureOutput({ writeErr: () => {} });
  try {
    await command.parseAsync(args, { from: 'user' });
    return true;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Subcommands and none given: commander prints its help as an error.
    if (error.code === 'commander.help') command.outputHelp();
    else if (error.exitCode !== 0) {
      const reason = error.message.replace(/^error: /, '');
      throw new UserError(`${command.name()}: ${reason}; --help says more`, exit.usage);
    }
    return false;
  }
}
