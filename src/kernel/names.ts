// Numbers of bpf/abi.h -> the words for people that they have everywhere.

import * as abi from './abi.gen.ts';

/** Of an enum whose names begin with `prefix`, in lower case. */
const namesOf = (numbers: Record<string, number>, prefix: string): Map<number, string> =>
  new Map(
    Object.entries(numbers)
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, number]) => [number, name.slice(prefix.length).toLowerCase()]),
  );

const reasons = namesOf(abi.connReason, 'REASON_');
const verdicts = namesOf(abi.verdict, 'VERDICT_');

/** How a connection got its gateway; '' for 0: it has none, or is a template. */
export const reasonName = (number: number): string => reasons.get(number) ?? '';

export const verdictName = (number: number): string => verdicts.get(number) ?? String(number);
