// Marks of others that use the gateway bits, or bits of a service's fwmark.

import { type ForeignMark, findForeignMarks, type MarkFacts } from '../firewall/foreign-marks.ts';
import type { FirewallRule } from '../firewall/rule.ts';
import type { DirectorFacts } from '../model/facts.ts';
import { type Check, error, type Found, warning } from './finding.ts';
import { hex, startAnew } from './view.ts';

const full = 0xffffffff;
const defaultMask = 0xff000000;

const verbs = { set: 'sets', test: 'tests', save: 'saves', restore: 'restores' } as const;

const formatUse = ({ verb, of, value, mask, where }: ForeignMark): string => {
  const mark = of === 'connection' ? 'the connection mark' : 'the mark';
  const bits =
    verb === 'save' || verb === 'restore'
      ? `bits ${hex(mask)} of ${mark}`
      : `${mark} ${hex(value)}/${hex(mask)}`;
  return `"${where}" ${verbs[verb]} ${bits}`;
};

/** One sentence for all rules of one owner. */
function formatUses(uses: ForeignMark[]): string {
  const [first] = uses;
  if (!first) return '';
  const owner = first.owner === '' ? '' : `${first.owner}: `;
  const more = uses.length > 1 ? ` (and ${uses.length - 1} more)` : '';
  return `${owner}${formatUse(first)}${more}`;
}

/** Full masks are how everybody writes a whole mark: then only its value tells which bits it is about. */
const bitsOf = ({ mask, value }: ForeignMark): number => (mask === full ? value : mask);

const byOwner = (marks: ForeignMark[]): ForeignMark[][] => [
  ...Map.groupBy(marks, ({ owner, where }) => owner || where).values(),
];

/** Eight bits in a row that nobody uses, the highest first. */
function findFreeMask(marks: ForeignMark[], services: MarkUsers['services']): number | undefined {
  const used = [...marks.map(bitsOf), ...services.map(({ fwmark }) => fwmark)];
  for (let shift = 24; shift >= 0; shift--) {
    const mask = (0xff << shift) >>> 0;
    if (used.every((bits) => (bits & mask) === 0)) return mask;
  }
  return undefined;
}

const crowded =
  'free eight bits in a row of the mark, and start the director with them: lvsj start --mark-mask MASK';

const moveBits = (director: DirectorFacts | undefined, mask: number): string =>
  director ? startAnew(director, mask) : `lvsj start --mark-mask ${hex(mask)}`;

const findOnGatewayBits = (bits: number, marks: ForeignMark[], move: string): Found[] =>
  byOwner(marks.filter((mark) => (bitsOf(mark) & bits) !== 0)).map((uses) =>
    error(`${formatUses(uses)}; ${hex(bits)} are the gateway bits`, move),
  );

/** Between our prerouting chain and our postrouting chain a packet's gateway bits must stay. */
const clearsBits = ({ verb, of, mask, value, places }: ForeignMark, bits: number): boolean =>
  verb === 'set' &&
  of === 'packet' &&
  (mask & bits) !== 0 &&
  (value & bits) === 0 &&
  mask === full &&
  places.some(
    ({ hook, priority }: FirewallRule['places'][number]) =>
      hook === 'forward' || (hook === 'postrouting' && priority < -140),
  );

function findClearing(bits: number, marks: ForeignMark[]): Found[] {
  return byOwner(marks.filter((mark) => clearsBits(mark, bits))).map((uses) =>
    warning(
      `${formatUses(uses)}, all bits of it, after the director has put the gateway there: what belongs to that connection may take another`,
      `set only the other bits: a mask of ${hex(~bits >>> 0)} (iptables: --set-xmark ${hex(uses[0]?.value ?? 0)}/${hex(~bits >>> 0)})`,
    ),
  );
}

/**
 * An admin sets, tests and keeps fwmarks of services as a whole. Who touches some bits of one makes
 * another mark of it, or takes its packets for others; so does an owner of those bits in any case.
 */
function touches({ verb, mask, value, owner }: ForeignMark, fwmark: number): boolean {
  if (mask === full) return owner !== '' && value === fwmark;
  const shared = (mask & fwmark) >>> 0;
  if (shared === 0 || (shared === fwmark && owner === '')) return false;
  return verb !== 'test' || shared === value;
}

/** What a director has of the mark, or would have. */
export interface MarkUsers {
  markMask: number;
  /** Names as in a sentence. */
  services: { name: string; fwmark: number }[];
}

function findOnServices({ services }: MarkUsers, marks: ForeignMark[]): Found[] {
  const byMark = new Map(services.map((service) => [service.fwmark, service]));
  return [...byMark.values()].flatMap(({ name, fwmark }) =>
    byOwner(marks.filter((mark) => touches(mark, fwmark))).map((uses) =>
      error(
        `${formatUses(uses)}; ${name} has the fwmark ${hex(fwmark)}, which shares bits with it`,
        `give ${name} a fwmark without the bits ${hex(bitsOf(uses[0] as ForeignMark))}`,
      ),
    ),
  );
}

/** What of a configuration somebody else's marks get in the way of, before it is applied. */
export function findMarkCollisions(facts: MarkFacts, users: MarkUsers): Found[] {
  const marks = findForeignMarks(facts);
  const free = findFreeMask(marks, users.services);
  const move = free === undefined ? crowded : `mark-mask: ${hex(free)} is free`;
  return [...findOnGatewayBits(users.markMask, marks, move), ...findOnServices(users, marks)];
}

export const marks: Check = {
  name: 'marks',
  find: (facts) => {
    const { director } = facts;
    const foreign = findForeignMarks(facts);
    const { markMask, services } = director ?? { markMask: defaultMask, services: [] };
    const free = findFreeMask(foreign, services);
    const move = free === undefined ? crowded : moveBits(director, free);
    const onBits = findOnGatewayBits(markMask, foreign, move);
    if (!director) return onBits.map((found) => ({ ...found, severity: 'warning' }));
    return [
      ...onBits,
      ...findClearing(markMask, foreign),
      ...findOnServices({ markMask, services }, foreign),
    ];
  },
};
