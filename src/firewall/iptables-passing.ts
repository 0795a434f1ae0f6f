// What a rule of iptables does to packets in the middle of a forwarded TCP or UDP connection, from its words.

import { allOf, needyExtensions, type Passing } from './passing.ts';

type Matches = Passing['matches'];

/** `-m conntrack --ctstate X`, `-p tcp`: an option with its values, and whether it was negated. */
interface Option {
  name: string;
  values: string[];
  not: boolean;
}

function toOptions(words: string[]): Option[] {
  const options: Option[] = [];
  let not = false;
  for (const word of words)
    if (word === '!') not = true;
    else if (/^--?[a-z]/i.test(word)) {
      options.push({ name: word, values: [], not });
      not = false;
    } else options.at(-1)?.values.push(word);
  return options;
}

const forwarded = ['tcp', 'udp', '6', '17'];
const atTheEnds = /\b(?:SYN|FIN|RST|ALL)\b/;

/** Options that ask for nothing by themselves. */
const isSilent = ({ name, values: [value = ''] }: Option): boolean =>
  name === '--comment' || (name === '-m' && ['conntrack', 'state', 'comment'].includes(value));

function judge({ name, values, not }: Option): Matches {
  const [value = ''] = values;
  if (name === '--ctstate' || name === '--state')
    return value.split(',').includes('ESTABLISHED') === not ? 'none' : 'all';
  if (not) return 'some';
  if (name === '-p') return forwarded.includes(value) ? 'some' : 'none';
  // Behind the flags that are looked at stand those that must be set.
  if (name === '--tcp-flags') return atTheEnds.test(values[1] ?? '') ? 'none' : 'some';
  const isRouters = (name === '-i' || name === '-o') && value === 'lo';
  return isRouters || (name === '--dst-type' && value === 'LOCAL') ? 'none' : 'some';
}

const isTarget = ({ name }: Option): boolean => name === '-j' || name === '-g';
const ends = ['ACCEPT', 'DROP', 'REJECT', 'NFQUEUE', 'QUEUE'];

function verdictOf(target: Option | undefined): Passing['verdict'] {
  const [name = ''] = target?.values ?? [];
  if (ends.includes(name)) return 'ends';
  return target?.name === '-g' || name === 'RETURN' ? 'leaves' : '';
}

/** words: those behind the chain. */
export function parsePassing(words: string[], jumps: string[]): Passing {
  const options = toOptions(words);
  const target = options.find(isTarget);
  // iptables-save writes the target last, with options of its own.
  const conditions = target ? options.slice(0, options.indexOf(target)) : options;
  const extensions = [...conditions, ...(target ? [target] : [])]
    .filter((option) => option.name === '-m' || isTarget(option))
    .flatMap(({ values }) => values.slice(0, 1));
  return {
    matches: allOf(conditions.filter((option) => !isSilent(option)).map(judge)),
    needs: [...new Set(extensions)].filter((name) => needyExtensions.includes(name)).join(', '),
    counts: true,
    verdict: verdictOf(target),
    jumps,
  };
}
