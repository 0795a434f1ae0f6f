// What `ip -N -o monitor label` tells, line by line. Its -json is no JSON for monitor (seen in 6.1).

import { isOurs } from '../plan/objects.ts';

export interface LinkEvent {
  kind: 'link';
  link: string;
  ifindex: number;
  /** As the admin set it. */
  up: boolean;
  /** Something is at the other end. */
  carrier: boolean;
  mtu: number;
  /** '' if it is part of no other. */
  master: string;
  deleted: boolean;
}

export interface AddressEvent {
  kind: 'address';
  link: string;
  address: string;
  /** `inet6 2001:db8::2/64 scope 0 tentative dynamic`, without the time that is left, which each advertisement changes. */
  text: string;
  deleted: boolean;
}

export interface NeighbourEvent {
  kind: 'neighbour';
  link: string;
  address: string;
  /** `REACHABLE`, `STALE`, `DELAY`, `PROBE`, `INCOMPLETE`, `FAILED`, `NOARP`, `PERMANENT`; '' while it has none. */
  state: string;
  deleted: boolean;
}

/** A route or policy rule that may concern us. */
export interface RouteEvent {
  kind: 'route';
}

export type IpEvent = LinkEvent | AddressEvent | NeighbourEvent | RouteEvent;

const route: RouteEvent = { kind: 'route' };
const deletedWord = 'Deleted ';

/** By label: of the line without label and `Deleted`. */
const parsers: Record<string, (text: string, deleted: boolean) => IpEvent | undefined> = {
  LINK: parseLink,
  ADDR: parseAddress,
  NEIGH: parseNeighbour,
  ROUTE: (text) => (isRouteOfInterest(text) ? route : undefined),
  RULE: (text) => (isOurs(Number.parseInt(text, 10)) ? route : undefined),
};

/** Undefined: it concerns nobody here. */
export function parseEvent(line: string): IpEvent | undefined {
  const labelEnd = line.indexOf(']');
  const parse = parsers[line.slice(1, labelEnd)];
  const deleted = line.startsWith(deletedWord, labelEnd + 1);
  return parse?.(line.slice(labelEnd + 1 + (deleted ? deletedWord.length : 0)), deleted);
}

/** `3: va@vb: <BROADCAST,UP,LOWER_UP> mtu 1500 qdisc noqueue master br0 state UP group 0 \ …`. */
function parseLink(text: string, deleted: boolean): LinkEvent | undefined {
  const [, ifindex, name, flags, mtu, rest] =
    /^(\d+): (\S+): <([^>]*)> mtu (\d+) (.*)/.exec(text) ?? [];
  // A bridge tells of its ports in the same words, also that one is `Deleted` that only leaves it. Links have a qdisc.
  if (name === undefined || !rest?.startsWith('qdisc ')) return undefined;
  const words = flags?.split(',') ?? [];
  return {
    ...{ kind: 'link', link: name.split('@')[0] as string, ifindex: Number(ifindex), deleted },
    ...{ up: words.includes('UP'), carrier: words.includes('LOWER_UP'), mtu: Number(mtu) },
    master: / master (\S+)/.exec(rest)?.[1] ?? '',
  };
}

/** `3: va    inet 192.0.2.9 peer 192.0.2.10/32 scope 0 va\ …`. */
function parseAddress(text: string, deleted: boolean): AddressEvent | undefined {
  const [, link, told, address] = /^\d+: (\S+)\s+(inet6? ([^\s/]+)[^\\]*)/.exec(text) ?? [];
  if (link === undefined || told === undefined || address === undefined) return undefined;
  return { kind: 'address', link, address, text: told.trimEnd(), deleted };
}

/** `192.0.2.1 dev va lladdr 02:00:00:00:00:01 REACHABLE`; of a bridge's own entries there is no address. */
function parseNeighbour(text: string, deleted: boolean): NeighbourEvent | undefined {
  const [, address, link, rest] = /^([\da-f.:]+) dev (\S+)(.*)/.exec(text) ?? [];
  if (address === undefined || link === undefined) return undefined;
  return {
    kind: 'neighbour',
    link,
    address,
    state: /[A-Z]{4,}/.exec(rest ?? '')?.[0] ?? '',
    deleted,
  };
}

/** A default route of the main table (may be a next hop), or any of our tables; ip does not name the main table. */
function isRouteOfInterest(text: string): boolean {
  const [, table] = / table (\d+)/.exec(text) ?? [];
  return table === undefined ? /^(\d+ )?default /.test(text) : isOurs(Number(table));
}
