// What the schema is built of: zod's objects and unions, with leaves that say what they want in words.

import * as z from 'zod';

/** Why a value is not taken. */
export class Refusal {
  readonly reason: string;
  readonly hint: string;

  constructor(reason: string, hint = '') {
    this.reason = reason;
    this.hint = hint;
  }
}

/** What an issue of a leaf carries beside its message. */
export interface LeafParams {
  hint: string;
  /** A map or a list where a leaf is wanted: another branch of a union may take it. */
  wrongKind: boolean;
}

export interface LeafOptions<T> {
  /** Behind "is not": `a duration such as 300s`. */
  noun: string;
  /** What editors check; an `id` makes it a definition of its own. */
  json: Record<string, unknown>;
  /** undefined: it is not what the noun says. */
  read: (text: string) => T | Refusal | undefined;
}

/** One value that is no map and no list. It is read as the text that stands there. */
export function leaf<T>({ noun, json, read }: LeafOptions<T>) {
  return z
    .unknown()
    .transform((value, context): T => {
      const result = readLeaf(value, noun, read);
      if (!(result instanceof Refusal)) return result;
      const { reason: message, hint } = result;
      const params: LeafParams = { hint, wrongKind: isNested(value) };
      context.addIssue({ code: 'custom', message, params, input: value });
      return z.NEVER;
    })
    .meta(json);
}

function readLeaf<T>(value: unknown, noun: string, read: LeafOptions<T>['read']): T | Refusal {
  if (value === undefined) return new Refusal('is missing', `write ${noun}`);
  if (value === null) return new Refusal('has no value', `write ${noun}, or leave the key out`);
  if (isNested(value)) return new Refusal(`must be ${noun}, not ${kindOf(value)}`);
  const text = String(value);
  return read(text) ?? new Refusal(`"${shorten(text)}" is not ${noun}`);
}

const isNested = (value: unknown): boolean => typeof value === 'object' && value !== null;

export const kindOf = (value: unknown): string => {
  if (Array.isArray(value)) return 'a list';
  if (value === null || value === undefined) return 'nothing';
  return typeof value === 'object' ? 'a map' : `"${shorten(String(value))}"`;
};

/** A bad text may be a whole file. */
export const shorten = (text: string): string =>
  text.length > 60 ? `${text.slice(0, 57)}...` : text;

/** A map of these keys. The message about any other lists those that there are, for the hint. */
export const object = <S extends z.ZodRawShape>(shape: S) =>
  z.strictObject(shape, {
    error: ({ code }) => (code === 'unrecognized_keys' ? Object.keys(shape).join(' ') : undefined),
  });

/** One of them or a list of them; nothing in the list would be everything to a rule, so it is refused. */
export const list = <T extends z.ZodType>(item: T) =>
  z.union([
    item.transform((value) => [value]),
    z.array(item).min(1, { error: 'the list is empty: leave the key out' }),
  ]);

/** Where z.record is given names of the file's own making. */
export const namePattern = /^[A-Za-z][A-Za-z0-9_-]{0,31}$/;
export const nameRule = 'a name is a letter, then up to 31 letters, digits, - or _';

export const named = <T extends z.ZodType>(item: T) =>
  z.record(z.string().regex(namePattern), item);
