// The form of a program that is run: its path, or it and its arguments. No shell reads them.

import * as z from 'zod';
import { leaf, Refusal, shorten } from './shape.ts';

const reason = (word: string): string => `"${shorten(word)}" is not the absolute path of a program`;
const hint = 'no shell looks for it: write all of it, /usr/…';

const alone = leaf({
  noun: 'the path of a program, or a list of it and its arguments',
  json: { type: 'string', pattern: '^/\\S+$' },
  read: (word) => {
    if (/^\/\S*[^\s/]$/.test(word)) return [word];
    const [program = '', ...rest] = word.trim().split(/\s+/);
    return rest.length > 0 && program.startsWith('/')
      ? new Refusal(
          `"${shorten(word)}" is more than a path`,
          `no shell reads it: write [${shorten([program, ...rest].join(', '))}]`,
        )
      : new Refusal(reason(word), hint);
  },
});

const word = leaf({
  noun: 'a word',
  json: { type: ['string', 'number'] },
  read: (given) => (given.includes('\0') ? undefined : given),
});

export const command = z.union([
  alone,
  z
    .array(word)
    .min(1, { error: 'the list is empty: write the path of a program' })
    .refine(([program = '/-']) => /^\/.*[^/]$/.test(program), {
      error: ({ input }) => reason(String((input as string[])[0])),
      path: [0],
      params: { hint },
    }),
]);
