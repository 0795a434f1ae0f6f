// Splits an argument list into switches with their values, with the habits of popt, the library
// that ipvsadm uses: clusters (-Lnc), values that are joined, follow "=" or stand in the next word,
// no abbreviation of long names.

import { UserError } from '../util/error.ts';
import { type Switch, switches } from './options.ts';

export interface Word {
  found: Switch;
  value: string | undefined;
  /** The argument read last: what messages quote, for a cluster the whole cluster. */
  text: string;
}

interface Cursor {
  args: readonly string[];
  next: number;
}

const byLong = new Map(switches.flatMap((one) => (one.long ? [[one.long, one] as const] : [])));
const byShort = new Map(switches.flatMap((one) => (one.short ? [[one.short, one] as const] : [])));

const refuse = (text: string, reason: string): never => {
  throw new UserError(`${text}: ${reason}`);
};

/**
 * Takes the value that `joined` holds or the next argument; the reader has already passed the
 * switch itself.
 */
function readValue(found: Switch, text: string, joined: string | undefined, at: Cursor): Word {
  if (!found.value) {
    if (joined !== undefined) refuse(text, 'option does not take an argument');
    return { found, value: undefined, text };
  }
  if (joined !== undefined) return { found, value: joined, text };
  const next = at.args[at.next];
  if (found.value === 'optional' && (next === undefined || next.startsWith('-')))
    return { found, value: undefined, text };
  if (next === undefined) return refuse(text, 'missing argument');
  at.next += 1;
  return { found, value: next, text: next };
}

function readLong(text: string, at: Cursor): Word {
  const equals = text.indexOf('=');
  const name = equals < 0 ? text.slice(2) : text.slice(2, equals);
  const found = byLong.get(name) ?? refuse(text, 'unknown option');
  return readValue(found, text, equals < 0 ? undefined : text.slice(equals + 1), at);
}

function* readCluster(text: string, at: Cursor): Generator<Word> {
  for (let index = 1; index < text.length; ) {
    const found = byShort.get(text.charAt(index)) ?? refuse(text, 'unknown option');
    const tail = text.slice(index + 1);
    index += 1;
    // A flag may be followed by the next letter; a value eats the tail, and one "=" at its head.
    const joined = tail === '' || (!found.value && tail[0] !== '=') ? undefined : tail;
    yield readValue(found, text, joined?.replace(/^=/, ''), at);
    if (found.value) return;
  }
}

/**
 * Yields the switches one by one and pushes every other argument to `rest`. Lazy on purpose: a bad
 * value of an earlier switch is reported before a later switch that does not exist. Throws
 * UserError, status 255.
 */
export function* readWords(args: readonly string[], rest: string[]): Generator<Word> {
  const at: Cursor = { args, next: 0 };
  while (at.next < args.length) {
    const text = args[at.next] ?? '';
    at.next += 1;
    if (text === '--') {
      rest.push(...args.slice(at.next));
      return;
    }
    if (text === '-' || !text.startsWith('-')) rest.push(text);
    else if (text.startsWith('--')) yield readLong(text, at);
    else yield* readCluster(text, at);
  }
}
