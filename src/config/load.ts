// The configuration file of this machine.

import { readFileSync } from 'node:fs';
import { UserError } from '../util/error.ts';
import { type Parsed, parseConfig } from './parse.ts';

export const defaultFile = '/etc/lvsj/lvsj.yaml';

const readText = (path: string): string => readFileSync(path, 'utf8');

/** Throws only if the file itself can't be read. */
export function loadConfig(file: string): Parsed {
  let text: string;
  try {
    text = readText(file);
  } catch (error) {
    const why = (error as Error).message.replace(/, \w+ '.*'$/s, '');
    throw new UserError(`can't read the configuration ${file}: ${why}`, 1);
  }
  return parseConfig(text, file, readText);
}
