// What a rule of nft does to packets in the middle of a forwarded TCP or UDP connection, from its JSON.

import { asJson, type Json, leaves, targetsOf } from './nft-json.ts';
import { allOf, needyExtensions, type Passing } from './passing.ts';

type Matches = Passing['matches'];

const words = (value: unknown): string[] => leaves(value).map(String);

const isState = (left: unknown): boolean => asJson(asJson(left).ct).key === 'state';

function judgeState({ op, right }: Json): Matches {
  const has = words(right).includes('established');
  return has === (op !== '!=') ? 'all' : 'none';
}

const forwarded = ['tcp', 'udp', '6', '17'];
/** Layers that these packets have. */
const layers = ['ether', 'vlan', 'ip', 'ip6', 'tcp', 'udp', 'th'];
const onlyAtTheEnds = ['syn', 'fin', 'rst'];

/** Of a protocol's number, and of fields that only other protocols have. */
function judgeProtocol({ op, left, right }: Json): Matches {
  const { protocol, field } = asJson(asJson(left).payload);
  const isNumber =
    asJson(asJson(left).meta).key === 'l4proto' || field === 'protocol' || field === 'nexthdr';
  if (isNumber && op !== '!=')
    return words(right).some((word) => forwarded.includes(word)) ? 'some' : 'none';
  return typeof protocol === 'string' && !layers.includes(protocol) ? 'none' : 'some';
}

/** `tcp flags syn` is any of them, `tcp flags & (…) == …` these and no other. */
function judgeFlags({ op, left, right }: Json): Matches {
  const masked = asJson(left)['&'];
  const flags = asJson(asJson(Array.isArray(masked) ? masked[0] : left).payload).field;
  if (flags !== 'flags' || op === '!=') return 'some';
  const atTheEnds = words(right).map((flag) => onlyAtTheEnds.includes(flag));
  return (op === 'in' ? atTheEnds.every(Boolean) : atTheEnds.includes(true)) ? 'none' : 'some';
}

/** What is for the router itself, or comes from it. */
function judgePlace({ op, left, right }: Json): Matches {
  const isLink = /^[io]if(name)?$/.test(String(asJson(asJson(left).meta).key));
  const { result, flags } = asJson(asJson(left).fib);
  const isLocal = result === 'type' && words(flags).includes('daddr');
  return op !== '!=' && ((isLink && right === 'lo') || (isLocal && right === 'local'))
    ? 'none'
    : 'some';
}

const judge = (match: Json): Matches =>
  isState(match.left)
    ? judgeState(match)
    : allOf([judgeProtocol(match), judgeFlags(match), judgePlace(match)]);

/** What the map of states has for established ones. */
function establishedIn({ data }: Json): unknown {
  const { set } = asJson(data);
  const pairs = Array.isArray(set) ? set : [];
  return pairs.find((pair) => Array.isArray(pair) && pair[0] === 'established')?.[1];
}

const conditions = ['vmap', 'limit', 'quota', 'ct count', 'meter', 'set', 'xt'];

function matchesOf(part: Json): Matches {
  if ('match' in part) return judge(asJson(part.match));
  const vmap = asJson(part.vmap);
  if (isState(vmap.key)) return establishedIn(vmap) === undefined ? 'none' : 'all';
  return conditions.some((name) => name in part) ? 'some' : 'all';
}

const transportPortsEnd = 32;

/** Bytes behind addresses and ports, of which each packet has others. */
function needsContents({ left }: Json): string {
  const { base, offset } = asJson(asJson(left).payload);
  return base === 'ih' || (base === 'th' && Number(offset) >= transportPortsEnd) ? 'payload' : '';
}

/** conntrack's own counters, which count what the stack sees. */
function needsCounters({ left }: Json): string {
  const { key } = asJson(asJson(left).ct);
  return ['bytes', 'packets', 'avgpkt'].includes(String(key)) ? `ct ${key}` : '';
}

/** What changes in each packet; a DSCP that the stack changes is never learnt, the MSS is in SYNs. */
function needsChange({ key }: Json): string {
  const { payload, meta, exthdr, 'tcp option': option } = asJson(key);
  const { field } = asJson(payload);
  if (payload !== undefined) return field === 'dscp' ? '' : String(field ?? 'payload');
  if (asJson(meta).key === 'nftrace') return 'nftrace';
  if (exthdr !== undefined) return 'exthdr';
  return option !== undefined && asJson(option).name !== 'maxseg' ? 'tcp option' : '';
}

const needyStatements = ['quota', 'limit', 'log', 'queue', 'synproxy', 'dup', 'meter', 'reset'];

function needsOf(part: Json): string[] {
  const match = asJson(part.match);
  return [
    ...needyStatements.filter((name) => name in part),
    'set' in part ? `set ${asJson(part.set).op}` : '',
    needyExtensions.find((name) => name === asJson(part.xt).name) ?? '',
    ...[needsContents(match), needsCounters(match), needsChange(asJson(part.mangle))],
  ];
}

const ends = ['accept', 'drop', 'reject', 'queue', 'fwd'];

function verdictOf(parts: Json[]): Passing['verdict'] {
  if (parts.some((part) => ends.some((name) => name in part))) return 'ends';
  return parts.some((part) => 'return' in part || 'goto' in part) ? 'leaves' : '';
}

export function parsePassing(expr: Json[]): Passing {
  const states = expr.map(({ vmap }) => asJson(vmap)).filter(({ key }) => isState(key));
  const verdicts = states.map((vmap) => asJson(establishedIn(vmap)));
  return {
    matches: allOf(expr.map(matchesOf)),
    needs: [...new Set(expr.flatMap(needsOf))].filter((word) => word !== '').join(', '),
    counts: expr.some((part) => 'counter' in part),
    verdict: verdictOf([...expr, ...verdicts]),
    jumps: targetsOf(states.length > 0 ? verdicts : expr),
  };
}
