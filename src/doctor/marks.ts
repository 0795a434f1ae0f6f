// Marks of others that use the gateway bits, or bits of a service's fwmark.

import { type ForeignMark, findForeignMarks } from '../firewall/foreign-marks.ts';
import { ownerOfValue } from '../firewall/owners.ts';
import type { FirewallRule } from '../firewall/rule.ts';
import type { DirectorFacts, Facts } from '../model/facts.ts';
import { type Check, error, type Found, warning } from './finding.ts';
import { hex, startAnew } from './view.ts';

type Service = DirectorFacts['services'][number];

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
function findFreeMask(marks: ForeignMark[], services: Service[]): number | undefined {
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

function findOnGatewayBits(facts: Facts, marks: ForeignMark[]): Found[] {
  const { director } = facts;
  const bits = director?.markMask ?? defaultMask;
  const free = findFreeMask(marks, director?.services ?? []);
  const move = free === undefined ? crowded : moveBits(director, free);
  return byOwner(marks.filter((mark) => (bitsOf(mark) & bits) !== 0)).map((uses) =>
    (director ? error : warning)(`${formatUses(uses)}; ${hex(bits)} are the gateway bits`, move),
  );
}

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

function findClearing(facts: Facts, marks: ForeignMark[]): Found[] {
  const { director } = facts;
  if (!director) return [];
  const bits = director.markMask;
  return byOwner(marks.filter((mark) => clearsBits(mark, bits))).map((uses) =>
    warning(
      `${formatUses(uses)}, all bits of it, after the director has put the gateway there: what belongs to that connection may take another`,
      `set only the other bits: a mask of ${hex(~bits >>> 0)} (iptables: --set-xmark ${hex(uses[0]?.value ?? 0)}/${hex(~bits >>> 0)})`,
    ),
  );
}

/**
 * Setting or testing exactly a service's fwmark is how an admin uses one. Everything else that
 * touches its bits makes another mark of it, or takes its packets for its own.
 */
function touches({ verb, mask, value, owner }: ForeignMark, fwmark: number): boolean {
  if (value === fwmark) return owner !== '' && ownerOfValue(value) !== '';
  if (mask === full || (mask & fwmark) === 0) return false;
  if (verb !== 'test') return true;
  return value !== 0 && (fwmark & mask) >>> 0 === value;
}

function findOnServices({ director }: Facts, marks: ForeignMark[]): Found[] {
  const services = new Map(director?.services.map((service) => [service.fwmark, service]));
  return [...services.values()].flatMap(({ name, fwmark }) =>
    byOwner(marks.filter((mark) => touches(mark, fwmark))).map((uses) =>
      error(
        `${formatUses(uses)}; ${name} has the fwmark ${hex(fwmark)}, which shares bits with it`,
        `give ${name} a fwmark without the bits ${hex(bitsOf(uses[0] as ForeignMark))}`,
      ),
    ),
  );
}

export const marks: Check = {
  name: 'marks',
  find: (facts) => {
    const foreign = findForeignMarks(facts);
    return [
      ...findOnGatewayBits(facts, foreign),
      ...findClearing(facts, foreign),
      ...findOnServices(facts, foreign),
    ];
  },
};
