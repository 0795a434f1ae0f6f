// What a rule says, in short: its name where the file gives it none.

import { createHash } from 'node:crypto';
import type { Range, RuleConfig } from '../model/config.ts';
import { dscpNames, protocolNames } from './words.ts';

/** nftables keeps 128 bytes of a comment, and a table of counters must stay readable. */
const longest = 64;

const words = (numbers: readonly number[], names: ReadonlyMap<string, number>): string =>
  numbers
    .map((number) => [...names].find(([, each]) => each === number)?.[0] ?? String(number))
    .join(',');

export const formatRanges = (ranges: readonly Range[]): string =>
  ranges.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(',');

/** `from 10.0.0.0/24 proto tcp dport 80,443 -> web`; long ones end in a sum of the rest. */
export function formatRule(rule: RuleConfig): string {
  const parts = [
    ['from', rule.from.join(',')],
    ['to', rule.to.join(',')],
    ['proto', words(rule.protocols, protocolNames)],
    ['sport', formatRanges(rule.sport)],
    ['dport', formatRanges(rule.dport)],
    ['dscp', words(rule.dscp, dscpNames)],
    ['link', rule.links.join(',')],
    ['nft', rule.nft],
  ].filter(([, value]) => value !== '');
  const match = parts.flat().join(' ') || 'everything';
  const whole = `${match} -> ${rule.service}`;
  if (whole.length <= longest) return whole;
  const sum = createHash('sha256').update(whole).digest('hex').slice(0, 8);
  const rest = `… ${sum} -> ${rule.service}`;
  return `${match.slice(0, longest - rest.length)}${rest}`;
}
