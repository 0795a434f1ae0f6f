// The form of a probe: whom a gateway's monitor asks, and what it takes for an answer.

import * as z from 'zod';
import type { ProbeConfig } from '../model/config.ts';
import { command } from './command.ts';
import { domain, line, whole } from './leaves.ts';
import { parseAddress } from './prefix.ts';
import { leaf, list, object, Refusal } from './shape.ts';
import { parseWhole } from './words.ts';

const text = { type: 'string' };
const largestPort = 65535;

/** Without a link of its own: it is asked by the gateway's. */
export const host = leaf({
  noun: 'the address of a host',
  json: text,
  read: (word) => {
    const address = parseAddress(word)?.address;
    return address?.includes('%')
      ? new Refusal(`"${word}" has a link of its own`, "leave it out: the gateway's is taken")
      : address;
  },
});

const endpoint = leaf({
  noun: 'an address and a port such as 192.0.2.9:443 or "[2001:db8::9]:443"',
  json: text,
  read: (word) => {
    const [, v6, v4, digits = ''] = /^(?:\[([^\]%]+)\]|([^:[\]]+)):(\d+)$/.exec(word) ?? [];
    const found = parseAddress(v6 ?? v4 ?? '');
    const port = parseWhole(digits, 1, largestPort);
    const right = found?.family === (v6 === undefined ? 4 : 6);
    return found && right && port !== undefined ? { address: found.address, port } : undefined;
  },
});

const url = leaf({
  noun: 'a URL such as http://example.com/',
  json: { ...text, format: 'uri', pattern: '^https?://' },
  read: (word) => {
    const found = /^https?:\/\/\S+$/.test(word) ? URL.parse(word) : null;
    if (found && found.username + found.password !== '')
      return new Refusal('has a password in it', 'who sees the configuration sees it');
    return found ? word : undefined;
  },
});

/** For what is asked with nothing else to say. */
const yes = leaf({
  noun: 'true',
  json: { const: true },
  read: (word) =>
    word.toLowerCase() === 'true'
      ? true
      : new Refusal(`"${word}" is not true`, 'write true, or leave it out'),
});

const port = whole(1, largestPort);
const dnsDefaults = { port: 53, name: 'example.com' };

const dns = z.union([
  host.transform((address) => ({ address, ...dnsDefaults })),
  object({
    server: host.describe('Whom it asks'),
    port: port.prefault(dnsDefaults.port).describe('Where that listens'),
    name: domain.prefault(dnsDefaults.name).describe('What it asks for'),
  }).transform(({ server, ...rest }) => ({ address: server, ...rest })),
]);

const expected = { status: [200, 204], body: '' };

const http = z.union([
  url.transform((wanted) => ({ url: wanted, ...expected })),
  object({
    url: url.describe('What it asks for'),
    status: list(whole(100, 599)).prefault(expected.status).describe('What is right as an answer'),
    body: line('a text', /\S/).optional().describe('What must stand in the answer'),
  }).transform(({ body = '', ...rest }) => ({ ...rest, body })),
]);

const optional = <T>(form: z.ZodType<T>, use: (given: T) => ProbeConfig, meaning: string) =>
  form.transform(use).optional().describe(meaning);

const kinds = {
  ping: optional(host, (address) => ({ kind: 'ping', address }), 'Answers ICMP echo'),
  tcp: optional(endpoint, (found) => ({ kind: 'tcp', ...found }), 'Takes a TCP connection'),
  dns: optional(dns, (asked) => ({ kind: 'dns', ...asked }), 'Answers a DNS query'),
  http: optional(http, (asked) => ({ kind: 'http', ...asked }), 'Answers as it should'),
  neighbour: optional(
    yes,
    () => ({ kind: 'neighbour' }),
    'The next hop answers ARP or neighbour discovery',
  ),
  bfd: optional(yes, () => ({ kind: 'bfd' }), "The next hop's BFD session, as FRR has it, is up"),
  command: optional(
    command,
    (words) => ({ kind: 'command', command: words }),
    'Ends with exit code 0',
  ),
};

const words = Object.keys(kinds);

export const probe = object(kinds)
  .refine((given) => Object.keys(given).length === 1, {
    error: `a probe is one of ${words.join(', ')}`,
  })
  .transform((given) => Object.values(given)[0] as ProbeConfig)
  .meta({ minProperties: 1, maxProperties: 1 });
