// Which known word somebody may have meant.

import { distance } from 'fastest-levenshtein';

const sortedLetters = (word: string): string => [...word].sort().join('');

/** Two letters that changed places are one slip, not two. */
const slips = (word: string, known: string): number =>
  sortedLetters(word) === sortedLetters(known) ? 1 : distance(word, known);

const mostNames = 16;

/** `nearest: weight` if a slip of it is likely, else all that there are. */
export function nearest(word: string, known: readonly string[]): string {
  const scored = known.map((each) => ({
    each,
    score: slips(word.toLowerCase(), each.toLowerCase()),
  }));
  const [best] = scored.sort((a, b) => a.score - b.score);
  if (!best) return 'there are none';
  if (best.score <= Math.max(2, word.length / 3)) return `nearest: ${best.each}`;
  const more = known.length > mostNames ? ', …' : '';
  return `known: ${known.slice(0, mostNames).join(', ')}${more}`;
}
