// What the demo's commands print, as figures. Pure.

import type { Family } from '../model/table.ts';
import type { NamespaceState } from './namespace-state.ts';

/** A service as any form of `lvsj ipvsadm -Ln` lists it; the words are that form's columns. */
export interface ListedService {
  fwmark: number;
  family: Family;
  words: string[];
  gateways: { address: string; words: string[] }[];
}

/** Without the title lines, which differ from form to form. */
export function parseListing(text: string): ListedService[] {
  const services: ListedService[] = [];
  for (const line of text.split('\n')) {
    const [first, second = '', ...words] = line.trim().split(/\s+/);
    if (first === 'FWM') {
      const family = words[0] === 'IPv6' ? 6 : 4;
      if (family === 6) words.shift();
      services.push({ fwmark: Number(second), family, words, gateways: [] });
    } else if (first === '->') {
      // The title line with an arrow comes before any service.
      services.at(-1)?.gateways.push({ address: hostOf(second), words });
    }
  }
  return services;
}

/** One column of a service's gateways, by address: of `--stats`, column 0 is the connections. */
export function gatewayColumn(service: ListedService | undefined, column: number): Figures {
  const gateways = service?.gateways ?? [];
  return Object.fromEntries(gateways.map(({ address, words }) => [address, Number(words[column])]));
}

export type Figures = Record<string, number>;

export interface ListedConnection {
  protocol: string;
  state: string;
  client: string;
  clientPort: number;
  gateway: string;
}

/** `lvsj ipvsadm -Lnc`, templates (protocol `IP`) included. */
export function parseConnections(text: string): ListedConnection[] {
  const rows = text.split('\n').slice(2);
  return rows.flatMap((row) => {
    const [protocol, , state, source, , destination] = row.trim().split(/\s+/);
    if (!protocol || !state || !source || !destination) return [];
    const clientPort = Number(source.slice(source.lastIndexOf(':') + 1));
    return [{ protocol, state, client: hostOf(source), clientPort, gateway: hostOf(destination) }];
  });
}

/** `192.0.2.1:80` and `[2001:db8::1]:80` without port and brackets. */
const hostOf = (endpoint: string): string =>
  endpoint.slice(0, endpoint.lastIndexOf(':')).replaceAll(/[[\]]/g, '');

/** The hops of `traceroute -n -q 1`; `*` for one that did not answer. */
export function parseHops(text: string): string[] {
  return [...text.matchAll(/^ *\d+ +(\S+)/gm)].map(([, hop = '']) => hop);
}

interface NftCounters {
  nftables: { counter?: { name: string; packets: number } }[];
}

/** Packets of each named counter, from `nft -j list counters`. */
export function parseCounters(json: string): Figures {
  const { nftables } = JSON.parse(json) as NftCounters;
  return Object.fromEntries(
    nftables.flatMap(({ counter }) => (counter ? [[counter.name, counter.packets]] : [])),
  );
}

/** How many entries of `conntrack -L` have a mark with any of these bits. */
export function countMarked(text: string, mask: number): number {
  const marks = [...text.matchAll(/\bmark=(\d+)/g)].map(([, mark]) => Number(mark));
  return marks.filter((mark) => (mark & mask) !== 0).length;
}

/** Ids of our BPF programs that hang on the links of a namespace. */
export function programIds(state: NamespaceState): number[] {
  const found = Object.values(state).flatMap((text) => [...text.matchAll(/lvsj_\w+:\[(\d+)\]/g)]);
  return [...new Set(found.map(([, id]) => Number(id)))];
}

/** The state without the tables of iptables, which are the admin's and are compared on their own. */
export function withoutIptables(state: NamespaceState): NamespaceState {
  const name = 'nft -s list ruleset';
  const tables = (state[name] ?? '').split(/^(?=table )/m).map((table) =>
    table
      .split('\n')
      // Newer versions of nft write this between the tables, and say it of those of iptables only.
      .filter((line) => !line.startsWith('# Warning'))
      .join('\n'),
  );
  const others = tables.filter((table) => !/^table ip6? (raw|mangle|nat|filter) /.test(table));
  return { ...state, [name]: others.join('') };
}
