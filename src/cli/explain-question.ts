// The words of `lvsj explain` -> the packet that is asked for.

import ipaddr from 'ipaddr.js';
import {
  dscpNames,
  parseNamed,
  portNames,
  protocolNames,
  protocolsWithPorts,
} from '../config/words.ts';
import type { Question } from '../explain/explain.ts';
import { familyOf } from '../model/address.ts';
import { exit, UserError } from '../util/error.ts';

/** A port that clients choose, and the one that most connections go to. */
export const defaultPorts = { client: 40000, server: 443 };

const ICMP = 1;
const ICMPV6 = 58;

const usageError = (reason: string): UserError =>
  new UserError(`lvsj explain: ${reason}; --help says more`, exit.usage);

function parseAddress(text: string): string {
  if (!ipaddr.IPv4.isValidFourPartDecimal(text) && !ipaddr.IPv6.isValid(text))
    throw usageError(`"${text}" is not an address (192.0.2.1, 2001:db8::1)`);
  const address = ipaddr.parse(text);
  return address instanceof ipaddr.IPv6 ? address.toRFC5952String() : address.toString();
}

interface Numbers {
  what: string;
  names: ReadonlyMap<string, number>;
  largest: number;
}

const protocols: Numbers = { what: 'protocol', names: protocolNames, largest: 255 };
const ports: Numbers = { what: 'port', names: portNames, largest: 65535 };
const dscps: Numbers = { what: 'dscp', names: dscpNames, largest: 63 };
const fwmarks: Numbers = { what: 'fwmark', names: new Map(), largest: 0xffffffff };

/** As the configuration takes them: a name, a number, 0x… too. */
function parseNumber(text: string, { what, names, largest }: Numbers): number {
  const number = parseNamed(text, names, largest);
  if (number !== undefined) return number;
  const known = names.size === 0 ? '' : ', and no name that lvsj knows';
  throw usageError(`${what} "${text}" is no number from 0 to ${largest}${known}`);
}

/** `icmp` is the family's own. */
function parseProtocol(text: string, family: 4 | 6): number {
  const number = parseNumber(text, protocols);
  return number === ICMP && family === 6 ? ICMPV6 : number;
}

/** Of a protocol without ports 0, but ICMP's echo has an identifier. */
function parsePorts(protocol: number, client: string | undefined, server: string | undefined) {
  const port = (text: string | undefined, standard: number): number =>
    text === undefined ? standard : parseNumber(text, ports);
  if (protocolsWithPorts.includes(protocol))
    return {
      clientPort: port(client, defaultPorts.client),
      serverPort: port(server, defaultPorts.server),
    };
  const isEcho = protocol === ICMP || protocol === ICMPV6;
  if (server !== undefined || (client !== undefined && !isEcho))
    throw usageError(`protocol ${protocol} has no ports`);
  return { clientPort: isEcho ? port(client, 1) : 0, serverPort: 0 };
}

export interface QuestionOptions {
  link?: string;
  dscp?: string;
  fwmark?: string;
}

export function parseQuestion(args: readonly string[], options: QuestionOptions): Question {
  const [from = '', to = '', name = 'tcp', sport, dport] = args;
  const [client, server] = [parseAddress(from), parseAddress(to)];
  const family = familyOf(client);
  if (familyOf(server) !== family)
    throw usageError(`${client} and ${server} are of different families`);
  const protocol = parseProtocol(name, family);
  const { link, dscp = '0', fwmark } = options;
  return {
    packet: {
      ...{ family, protocol, client, server, link },
      ...parsePorts(protocol, sport, dport),
      dscp: parseNumber(dscp, dscps),
    },
    fwmark: fwmark === undefined ? undefined : parseNumber(fwmark, fwmarks),
  };
}
