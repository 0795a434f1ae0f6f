// What the guest measured, as a table in Markdown: pure.

import { formatNumber } from '../rows.ts';

/** Instructions of a packet of an established flow, to the internet and back, and of a flow's first packet. */
export interface Case {
  name: string;
  up: number;
  back: number | null;
  first: number;
}

export interface Aim {
  name: string;
  ratio: number;
  aim: number;
  met: boolean;
}

/** As bench/vm/guest.sh calls them. */
const bare = 'sender and sink';
const gateway = 'plain + masquerade';
const marks = 'nft numgen + ct mark + rules + masquerade';
const ipvs = 'IPVS direct routing + masquerade';
const ours = 'ours';
const fast = 'ours, fast path';

/** Lines `case NAME|UP|FIRST` and `case NAME, back|BACK|`; all else the guest says is a reason to refuse. */
export function readCases(lines: string): { cases: Case[]; refused: string[] } {
  const found = [...lines.matchAll(/^case (.*)\|(\d+)\|(\d*)$/gm)];
  const values = new Map(found.map(([, name, up, first]) => [name!, [Number(up), Number(first)]]));
  const value = (name: string, column: number): number => values.get(name)?.[column] ?? 0;
  const cases = [...values.keys()]
    .filter((name) => name !== bare && !name.endsWith(', back'))
    .map((name) => ({
      name,
      up: value(name, 0) - value(bare, 0),
      back: values.has(`${name}, back`)
        ? value(`${name}, back`, 0) - value(`${bare}, back`, 0)
        : null,
      first: value(name, 1) - value(bare, 1),
    }));
  return { cases, refused: [...lines.matchAll(/^refused: .*$/gm)].map(([line]) => line) };
}

type Column = 'up' | 'back' | 'first';

const aims: { of: string; to: string; column: Column; aim: number }[] = [
  { of: fast, to: gateway, column: 'up', aim: 0.3 },
  { of: fast, to: marks, column: 'up', aim: 0.2 },
  { of: fast, to: ipvs, column: 'up', aim: 0.18 },
  { of: fast, to: gateway, column: 'back', aim: 0.3 },
  { of: fast, to: marks, column: 'back', aim: 0.2 },
  { of: ours, to: marks, column: 'up', aim: 1 },
  { of: ours, to: marks, column: 'first', aim: 1.1 },
];

const columnName: Record<Column, string> = { up: '', back: ', back', first: ', first packet' };

export function judge(cases: Case[]): Aim[] {
  const costOf = (name: string, column: Column): number | null =>
    cases.find((one) => one.name === name)?.[column] ?? null;
  return aims.flatMap(({ of, to, column, aim }) => {
    const [value, base] = [costOf(of, column), costOf(to, column)];
    if (value === null || base === null) return [];
    const ratio = value / base;
    return [{ name: `${of} / ${to}${columnName[column]}`, ratio, aim, met: ratio <= aim }];
  });
}

const formatTable = (head: string[], rows: string[][]): string => {
  const line = (words: string[]): string => `| ${words.join(' | ')} |`;
  return [line(head), line(head.map((_, at) => (at ? '---:' : '---'))), ...rows.map(line)].join(
    '\n',
  );
};

export function formatCosts(cases: Case[]): string {
  const bases = [gateway, marks, ipvs].map((name) => cases.find((one) => one.name === name)?.up);
  const ratios = ({ up }: Case): string[] =>
    bases.map((base) => (base ? (up / base).toFixed(2) : ''));
  const rows = cases.map((one) => [
    one.name,
    ...[one.up, one.back, one.first].map(formatNumber),
    ...ratios(one),
  ]);
  const head = ['', 'established', 'back', 'first packet'];
  return formatTable(
    [...head, '/ plain + masquerade', '/ nft numgen', '/ IPVS + masquerade'],
    rows,
  );
}

export function formatAims(judged: Aim[]): string {
  const rows = judged.map(({ name, ratio, aim, met }) => {
    return [name, ratio.toFixed(2), aim.toFixed(2), met ? 'yes' : 'NO'];
  });
  return formatTable(['', 'ratio', 'aim ≤', 'met'], rows);
}
