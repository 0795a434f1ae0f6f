// Which connections somebody asks for.

import { BlockList, isIP } from 'node:net';
import { addressFromWords, addressToWords } from './address.ts';
import type { ConnectionState } from './state.ts';
import type { Family } from './table.ts';

/** All of these must hold; what is missing does not restrict. */
export interface ConnectionFilter {
  /** Prefixes, `10.0.0.0/24`, or addresses. */
  client?: string | undefined;
  server?: string | undefined;
  /** Name, or address of one that has no name. */
  gateway?: string | undefined;
  family?: Family | undefined;
  /** Name or fwmark. */
  service?: string | undefined;
  /** IP protocol number; 0 = templates. */
  protocol?: number | undefined;
  /** Of the client or of the server. */
  port?: number | undefined;
  /** In any case: established. */
  state?: string | undefined;
}

/** A prefix or an address as its parts; undefined if it is neither. */
export function parsePrefix(text: string): { address: string; length: number } | undefined {
  const [address = '', length, ...more] = text.split('/');
  const family = isIP(address);
  const longest = family === 4 ? 32 : 128;
  if (family === 0 || address.includes('%') || more.length > 0) return undefined;
  if (length === undefined) return { address, length: longest };
  if (!/^[0-9]{1,3}$/.test(length) || Number(length) > longest) return undefined;
  return { address, length: Number(length) };
}

type Matches = (connection: ConnectionState) => boolean;

function matchPrefix(text: string, addressOf: (connection: ConnectionState) => string): Matches {
  const prefix = parsePrefix(text);
  if (!prefix) throw new Error(`matchPrefix: "${text}" is no prefix`);
  const family = isIP(prefix.address);
  const whole = addressFromWords(addressToWords(prefix.address));
  // Much quicker, and what most ask for.
  if (prefix.length === (family === 4 ? 32 : 128)) return (each) => addressOf(each) === whole;
  const name = family === 4 ? 'ipv4' : 'ipv6';
  const list = new BlockList();
  list.addSubnet(prefix.address, prefix.length, name);
  // BlockList lets IPv4 match ::ffff:0:0/96; to people the families are two.
  return (connection) => connection.family === family && list.check(addressOf(connection), name);
}

/** The filter's parsed form; its prefixes were checked before. */
export function matchConnection(filter: ConnectionFilter): Matches {
  const { client, server, gateway, family, service, protocol, port } = filter;
  const state = filter.state?.toUpperCase();
  const tests: Matches[] = [];
  if (protocol !== undefined) tests.push((each) => each.protocol === protocol);
  if (family !== undefined) tests.push((each) => each.family === family);
  if (port !== undefined)
    tests.push((each) => each.clientPort === port || each.serverPort === port);
  if (gateway !== undefined)
    tests.push((each) => each.gatewayName === gateway || each.gateway === gateway);
  if (service !== undefined)
    tests.push((each) => each.serviceName === service || String(each.fwmark) === service);
  if (state !== undefined) tests.push((each) => each.state === state);
  if (client !== undefined) tests.push(matchPrefix(client, (each) => each.client));
  if (server !== undefined) tests.push(matchPrefix(server, (each) => each.server));
  return (connection) => tests.every((test) => test(connection));
}
