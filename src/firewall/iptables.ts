// The output of iptables-save -> rules.

import type { SavedRules } from '../model/facts.ts';
import type { Family } from '../model/table.ts';
import { parsePassing } from './iptables-passing.ts';
import {
  type BaseChain,
  type FirewallRule,
  type LinkMatch,
  type LooseRule,
  type MarkUse,
  type Nat,
  placeRules,
} from './rule.ts';

const priorities: Record<string, number> = { raw: -300, mangle: -150, filter: 0, security: 50 };
const builtIn = ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'];
/** Of the table nat: source addresses change last. */
const natPriority = (chain: string): number =>
  chain === 'POSTROUTING' || chain === 'INPUT' ? 100 : -100;

/** Matches that say nothing of where a packet goes. */
const plainMatches = ['comment', 'tcp', 'udp'];

const full = 0xffffffff;

/** `0x1/0xff`; without a mask, all bits. */
export function parseMark(text: string): { value: number; mask: number } {
  const [value, mask] = text.split('/');
  return { value: Number(value) >>> 0, mask: mask === undefined ? full : Number(mask) >>> 0 };
}

/** Splits at blanks outside of quotes, which only comments have. */
const toWords = (line: string): string[] =>
  [...line.matchAll(/"(?:\\.|[^"])*"|\S+/g)].map(([word]) => word);

/** The words of one rule, to be asked for what follows an option. */
class Words {
  readonly #words: string[];

  constructor(words: string[]) {
    this.#words = words;
  }

  after(option: string): string | undefined {
    const at = this.#words.indexOf(option);
    return at < 0 ? undefined : this.#words[at + 1];
  }

  isNot(option: string): boolean {
    return this.#words[this.#words.indexOf(option) - 1] === '!';
  }

  all(option: string): string[] {
    return this.#words.flatMap((word, i) => (word === option ? [this.#words[i + 1] ?? ''] : []));
  }

  has(option: string): boolean {
    return this.#words.includes(option);
  }
}

function parseOut(words: Words): LinkMatch | null {
  const link = words.after('-o');
  if (link === undefined) return null;
  return { names: [link.replace(/\+$/, '*')], not: words.isNot('-o') };
}

/** A rule may have both matches; iptables-save writes `--mark` behind each. */
function parseTests(line: string): MarkUse[] {
  const tests = line.matchAll(/-m (mark|connmark)((?: (?:! )?--mark \S+)+)/g);
  return [...tests].flatMap(([, kind, options]) => {
    const of = kind === 'mark' ? 'packet' : 'connection';
    const marks = options?.matchAll(/--mark (\S+)/g) ?? [];
    return [...marks].map(([, mark = '']): MarkUse => ({ verb: 'test', of, ...parseMark(mark) }));
  });
}

function parseMarks(line: string, words: Words): MarkUse[] {
  const target = words.after('-j');
  const marks = parseTests(line);
  const set = words.after('--set-xmark') ?? words.after('--set-mark');
  if (set !== undefined && (target === 'MARK' || target === 'CONNMARK')) {
    const of = target === 'MARK' ? 'packet' : 'connection';
    marks.push({ verb: 'set', of, ...parseMark(set) });
  }
  for (const [option, verb, of, mask] of [
    ['--save-mark', 'save', 'connection', '--ctmask'],
    ['--restore-mark', 'restore', 'packet', '--nfmask'],
  ] as const)
    if (target === 'CONNMARK' && words.has(option))
      marks.push({ verb, of, value: 0, mask: Number(words.after(mask) ?? full) >>> 0 });
  return marks;
}

function parseNat(words: Words): Nat | null {
  const target = words.after('-j');
  if (target === 'MASQUERADE') return { kind: 'masquerade' };
  const to = words.after('--to-source') ?? words.after('--to');
  if ((target !== 'SNAT' && target !== 'NETMAP') || to === undefined) return null;
  // `192.0.2.2-192.0.2.5:1024-2048`, `2001:db8::1`, `[2001:db8::1]:1024`, and NETMAP's `192.0.2.0/24`.
  const addresses = to.startsWith('[')
    ? to.slice(1, to.indexOf(']'))
    : to.replace(/^(\d+\.[\d.]+(?:-[\d.]+)?):.*$/, '$1');
  return { kind: 'snat', addresses: addresses.split('-') };
}

function parseMss(words: Words): FirewallRule['mss'] {
  if (words.after('-j') !== 'TCPMSS') return null;
  const set = words.after('--set-mss');
  return set === undefined ? 'path' : Number(set);
}

interface Source {
  program: string;
  family: Family;
  table: string;
}

function parseRule(line: string, { program, family, table }: Source): LooseRule {
  const all = toWords(line);
  const words = new Words(all);
  const target = words.after('-j') ?? '';
  const jumps = [target, words.after('-g') ?? ''].filter((name) => name !== '');
  const command = `${program} -t ${table}`;
  return {
    where: `${command} ${line}`,
    remove: `${command} ${line.replace(/^-A/, '-D')}`,
    families: [family],
    table,
    chain: all[1] ?? '',
    ours: false,
    out: parseOut(words),
    picky: words.has('-d') || words.all('-m').some((match) => !plainMatches.includes(match)),
    marks: parseMarks(line, words),
    mss: parseMss(words),
    nat: parseNat(words),
    offloads: target === 'FLOWOFFLOAD',
    jumps,
    passing: parsePassing(all.slice(2), jumps),
  };
}

const basesOf = (table: string): Map<string, BaseChain> =>
  new Map(
    builtIn.map((chain) => {
      const priority = table === 'nat' ? natPriority(chain) : (priorities[table] ?? 0);
      const hook = chain.toLowerCase();
      return [chain, { hook, priority, nat: table === 'nat', links: null }];
    }),
  );

/** All rules of all tables. */
export function parseIptables({ program, family, text }: SavedRules): FirewallRule[] {
  return text.split(/^\*/m).flatMap((part) => {
    const [table = '', ...lines] = part.split('\n');
    const rules = lines.filter((line) => line.startsWith('-A '));
    const loose = rules.map((line) => parseRule(line, { program, family, table }));
    return placeRules(loose, basesOf(table));
  });
}
