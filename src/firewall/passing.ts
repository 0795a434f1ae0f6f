// What rules do to packets in the middle of a forwarded connection, those that may take the fast path: which
// rules they come to, and which of these must see each of them.

export interface Passing {
  /** Which of these packets match. */
  matches: 'all' | 'some' | 'none';
  /** What it must see each of them for, in the words of its program: `quota`, `LOG` …; '' if it need not. */
  needs: string;
  counts: boolean;
  /** ends: goes no further in this base chain; leaves: goes on where the chain was jumped to. */
  verdict: 'ends' | 'leaves' | '';
  jumps: string[];
}

/** Matches and targets of iptables that are about each packet, or change it as the fast path does not. */
export const needyExtensions = [
  ...['quota', 'quota2', 'limit', 'hashlimit', 'connbytes', 'recent', 'rateest'],
  ...['string', 'u32', 'bpf', 'LOG', 'NFLOG', 'ULOG', 'AUDIT', 'TRACE', 'NFQUEUE', 'QUEUE'],
  ...['SYNPROXY', 'TEE', 'SET', 'RATEEST', 'IDLETIMER', 'TTL', 'HL', 'ECN', 'TCPOPTSTRIP'],
];

/** Of conditions that must all be met. */
export function allOf(conditions: Passing['matches'][]): Passing['matches'] {
  if (conditions.includes('none')) return 'none';
  return conditions.includes('some') ? 'some' : 'all';
}

interface InChain {
  chain: string;
  passing: Passing;
}

/** Of the rules of one table, those that such packets come to from this base chain. */
export function rulesOnTheWay<T extends InChain>(byChain: Map<string, T[]>, base: string): Set<T> {
  const met = new Set<T>();
  /** By chain: nothing comes out of it. One that goes round has no end. */
  const ended = new Map<string, boolean>();
  const enter = (chain: string): boolean => {
    const known = ended.get(chain);
    if (known !== undefined) return known;
    ended.set(chain, false);
    const result = pass(chain);
    ended.set(chain, result);
    return result;
  };
  const pass = (chain: string): boolean => {
    for (const rule of byChain.get(chain) ?? []) {
      const { matches, verdict, jumps } = rule.passing;
      if (matches === 'none') continue;
      met.add(rule);
      const below = jumps.map(enter);
      if (matches === 'some') continue;
      if (verdict === 'ends' || below.includes(true)) return true;
      if (verdict === 'leaves') return false;
    }
    return false;
  };
  enter(base);
  return met;
}
