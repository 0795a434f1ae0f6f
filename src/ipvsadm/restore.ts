// `-R`: the text of `-S`, or of a hand-written file, as a list of commands, line by line.

import { exit, UserError } from '../util/error.ts';
import { type Command, type Context, defaultContext } from './command.ts';
import { parseCommand, seeHelp } from './parse.ts';

/** One line of the file: its command, or why it is none. */
export type RestoreLine =
  | { line: number; command: Command }
  /** `fatal`: nothing behind this line is read. */
  | { line: number; error: UserError; fatal: boolean };

/**
 * Lazy, so that the caller can apply each line before the next one is looked at. As in ipvsadm a
 * line that misuses the grammar ends the file, but one that the option library refuses (`X: unknown
 * option`) is only reported. Blank lines are skipped, and so are lines that begin with `#`: a
 * departure, ipvsadm gives up there although everybody's saved files have such lines. A leading
 * `ipvsadm` or `lvsj ipvsadm` is dropped.
 */
export function* parseRestore(
  text: string,
  context: Context = defaultContext,
): Generator<RestoreLine> {
  for (const [index, content] of text.split('\n').entries()) {
    const args = readArguments(content);
    if (args.length === 0) continue;
    const result = parseLine(args, index + 1, context);
    yield result;
    if ('error' in result && result.fatal) return;
  }
}

/** No quotes, no escapes: words between blanks, as ipvsadm splits them. */
function readArguments(content: string): string[] {
  const words = content.split(/[ \t\r]+/).filter((word) => word !== '');
  if (words[0]?.startsWith('#')) return [];
  const start = words[0] === 'lvsj' && words[1] === 'ipvsadm' ? 2 : Number(words[0] === 'ipvsadm');
  return words.slice(start);
}

function parseLine(args: string[], line: number, context: Context): RestoreLine {
  try {
    const command = parseCommand(args, context);
    // A restore within a restore would read the same input.
    if (command.kind === 'restore') throw new UserError(seeHelp);
    return { line, command };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const fatal = error.status === exit.usage || error.message === seeHelp;
    return { line, error, fatal };
  }
}
