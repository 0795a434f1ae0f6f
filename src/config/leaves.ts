// The values of the configuration that are one word: what each is called, and how it is read.

import { isCapacity, parseBitRate } from '../model/bit-rate.ts';
import { isMarkMask, largestCount, longestTimeout } from '../model/bounds.ts';
import type { Range, Snat, Via } from '../model/config.ts';
import { persistenceKeys } from '../model/persistence.ts';
import { schedulers } from '../model/scheduler.ts';
import type { Family } from '../model/table.ts';
import { nearest } from './nearest.ts';
import { type Address, type Prefix, parseAddress, parsePrefix } from './prefix.ts';
import { leaf, namePattern, nameRule, Refusal, shorten } from './shape.ts';
import {
  dscpNames,
  parseDurationMs,
  parseNamed,
  parsePorts,
  parseWhole,
  portNames,
  protocolNames,
} from './words.ts';

const text = { type: 'string' };
const numberOrText = { type: ['number', 'string'] };
const time = { ...numberOrText, pattern: '^\\d{1,9}(\\.\\d{1,3})?(ms|s|m|h|d)?$' };

/** A whole number from `smallest` to `largest`. */
export const whole = (smallest: number, largest: number) =>
  leaf({
    noun: largest === 1 ? '0 or 1' : `a whole number from ${smallest} to ${largest}`,
    json: { type: 'integer', minimum: smallest, maximum: largest },
    read: (word) => parseWhole(word, smallest, largest),
  });

export const flag = leaf({
  noun: 'true or false',
  json: { type: 'boolean' },
  read: (word) => (/^(true|false)$/i.test(word) ? word.toLowerCase() === 'true' : undefined),
});

/** Milliseconds; the bounds as one writes them. */
export const duration = (shortest: string, longest: string) =>
  leaf({
    noun: 'a duration such as 300s, 5m, 1h',
    json: time,
    read: (word) => {
      const ms = parseDurationMs(word);
      if (ms === undefined) return undefined;
      const fits =
        ms >= Number(parseDurationMs(shortest)) && ms <= Number(parseDurationMs(longest));
      return fits ? ms : new Refusal(`"${word}" is not a time from ${shortest} to ${longest}`);
    },
  });

/** Whole seconds, as the kernel counts timeouts. */
export const seconds = leaf({
  noun: 'a duration such as 300s, 5m, 1h',
  json: time,
  read: (word) => {
    const ms = parseDurationMs(word);
    if (ms === undefined || (ms % 1000 === 0 && ms > 0 && ms <= longestTimeout * 1000))
      return ms && ms / 1000;
    return new Refusal(`"${word}" is not a time of whole seconds, from 1s to 31d`);
  },
});

export const bitRate = leaf({
  noun: 'bits a second with k, M or G, from 1k to 1000G, such as 250M',
  json: { ...numberOrText, pattern: '^\\d+(\\.\\d+)?[kMG]?$' },
  read: (word) => {
    const bits = parseBitRate(word);
    return bits !== undefined && isCapacity(bits) ? bits : undefined;
  },
});

export const link = leaf({
  noun: 'a link, such as eth0',
  json: { id: 'link', ...text, minLength: 1, maxLength: 15 },
  read: (word) => (/^(?!\.{1,2}$)[^\s/:"*\\]{1,15}$/.test(word) ? word : undefined),
});

/** The name of a service or rule. */
export const name = (noun: string) =>
  leaf({
    noun,
    json: { ...text, pattern: namePattern.source },
    read: (word) =>
      namePattern.test(word) ? word : new Refusal(`"${shorten(word)}" is not ${noun}`, nameRule),
  });

const familyNames: Readonly<Record<Family, string>> = { 4: 'IPv4', 6: 'IPv6' };

/** An address, of this family if one is asked for. */
function readAddress(word: string, family?: Family): Address | Refusal | undefined {
  const found = parseAddress(word);
  if (!found || family === undefined || found.family === family) return found;
  return new Refusal(
    `${word} is ${familyNames[found.family]}`,
    `write an ${familyNames[family]} address, or this one at ipv${found.family}`,
  );
}

/** What is made of a value that was taken. */
function settled<T, U>(
  value: T | Refusal | undefined,
  use: (value: T) => U | undefined,
): U | Refusal | undefined {
  const bad = value === undefined || value instanceof Refusal;
  return bad ? (value as Refusal | undefined) : use(value);
}

export type ViaFamilies = Partial<Record<Family, Via>>;

/** A next hop for one family, or for those that it fits. */
export const via = (family?: Family) =>
  leaf({
    noun: 'the address of a next hop, auto or onlink',
    json: text,
    read: (word): ViaFamilies | Refusal | undefined => {
      const families: Family[] = family === undefined ? [4, 6] : [family];
      if (word === 'auto' || word === 'onlink')
        return Object.fromEntries(families.map((each) => [each, { kind: word }]));
      return settled(readAddress(word, family), (hop) => ({
        [hop.family]: { kind: 'address', address: hop.address },
      }));
    },
  });

export type SnatFamilies = Partial<Record<Family, Snat>>;

/** A source address for one family, or for those that it fits. */
export const snat = (family?: Family) =>
  leaf({
    noun: 'an address, masquerade or none',
    json: text,
    read: (word): SnatFamilies | Refusal | undefined => {
      const families: Family[] = family === undefined ? [4, 6] : [family];
      if (word === 'masquerade' || word === 'none')
        return Object.fromEntries(families.map((each) => [each, { kind: word }]));
      return settled(readAddress(word, family), ({ family: own, address }) =>
        address.includes('%') ? undefined : { [own]: { kind: 'address', address } },
      );
    },
  });

const exactly = (word: string): Prefix | Refusal | undefined => {
  const prefix = parsePrefix(word);
  if (!prefix?.host) return prefix;
  return new Refusal(
    `"${word}" has bits behind its length`,
    `write ${prefix.text} for all of it, or ${word.replace(/\/.*/, '')} for one address`,
  );
};

export const readPrefix = (word: string): Prefix | Refusal =>
  exactly(word) ?? new Refusal(`"${word}" is not a prefix such as 10.0.0.0/24 or 2001:db8::/32`);

export const prefix = leaf({
  noun: 'a prefix such as 10.0.0.0/24 or 2001:db8::/32',
  json: { id: 'prefix', ...text },
  read: exactly,
});

/** RFC 6296 wants sixteen bits behind it for its checksum. */
const longestNpt = 112;

export const npt = leaf({
  noun: `an IPv6 prefix of at most ${longestNpt} bits, such as 2001:db8:1::/56`,
  json: text,
  read: (word): SnatFamilies | Refusal | undefined =>
    settled(exactly(word), ({ family, length, text: canonical }) =>
      family === 6 && length <= longestNpt ? { 6: { kind: 'npt', prefix: canonical } } : undefined,
    ),
});

export type Source = { prefix: Prefix } | { set: string };

export const source = leaf({
  noun: 'a prefix such as 10.0.0.0/24 or 2001:db8::/32, or "@set"',
  json: { id: 'source', ...text, description: 'A prefix of either family, or "@NAME" of a set' },
  read: (word): Source | Refusal | undefined =>
    word.startsWith('@') && namePattern.test(word.slice(1))
      ? { set: word.slice(1) }
      : settled(exactly(word), (found) => ({ prefix: found })),
});

/** A word of a list, or the nearest one as a hint. */
export const oneOf = <W extends string>(noun: string, words: readonly W[]) =>
  leaf({
    noun,
    json: { enum: words },
    read: (word) =>
      words.find((each) => each === word) ??
      new Refusal(`"${shorten(word)}" is not ${noun}`, nearest(word, words)),
  });

export const scheduler = oneOf('a scheduler', [...schedulers.keys()]);
export const persistenceKey = oneOf('a persistence key', persistenceKeys);

export const protocol = leaf({
  noun: 'a protocol such as tcp, udp, icmp, or a number from 0 to 255',
  json: { ...numberOrText, examples: [...protocolNames.keys()] },
  read: (word) => parseNamed(word, protocolNames, 255),
});

export const port = leaf({
  noun: 'a port such as 443, https or 8000-8099',
  json: { id: 'port', ...numberOrText, examples: [443, '8000-8099', ...portNames.keys()] },
  read: (word): Range | undefined => parsePorts(word),
});

export const dscp = leaf({
  noun: 'a DSCP from 0 to 63, or a name such as cs1, af41, ef',
  json: { ...numberOrText, examples: [...dscpNames.keys()] },
  read: (word) => parseNamed(word, dscpNames, 63),
});

export const weight = whole(0, largestCount);

/** A prefix length: `24`, or for IPv4 the mask, `255.255.255.0`. */
export const netmask = (family: Family) => {
  const longest = family === 4 ? 32 : 128;
  const noun =
    family === 4
      ? 'a prefix length from 1 to 32, or a mask such as 255.255.255.0'
      : 'a prefix length from 1 to 128';
  return leaf({
    noun,
    json: numberOrText,
    read: (word) =>
      parseWhole(word, 1, longest) ?? (family === 4 ? parseMask(word) : undefined) ?? undefined,
  });
};

function parseMask(word: string): number | undefined {
  const mask = parsePrefix(word);
  if (mask?.family !== 4 || mask.length !== 32) return undefined;
  const ones = mask.first.toString(2).padStart(32, '0').indexOf('0');
  const length = ones < 0 ? 32 : ones;
  return length > 0 && mask.first === (1n << 32n) - (1n << BigInt(32 - length))
    ? length
    : undefined;
}

export const markMask = leaf({
  noun: 'eight bits in a row, such as 0xff000000',
  json: numberOrText,
  read: (word) => {
    const mask = parseWhole(word, 1, 0xffffffff);
    return mask !== undefined && isMarkMask(mask) ? mask : undefined;
  },
});

/** It becomes part of a rule of ours, and must not end it or the chain around it. */
export const nft = leaf({
  noun: 'an nftables match on one line, without ; and #',
  json: text,
  read: (word) => {
    const depths = [0];
    for (const sign of word.replace(/"[^"]*"/g, '').replace(/[^{}]/g, ''))
      depths.push((depths.at(-1) ?? 0) + (sign === '{' ? 1 : -1));
    const closed = depths.at(-1) === 0 && depths.every((depth) => depth >= 0);
    const plain =
      !/[;#\p{Cc}]/u.test(word) && word.trim() !== '' && word.split('"').length % 2 === 1;
    return closed && plain ? word.trim() : undefined;
  },
});

/** A line of text of this form. */
export const line = (noun: string, pattern: RegExp) =>
  leaf({
    noun,
    json: { ...text, pattern: pattern.source },
    read: (word) => (pattern.test(word) ? word : undefined),
  });

export const domain = leaf({
  noun: 'a domain name such as example.com',
  json: { ...text, format: 'hostname' },
  read: (word) => {
    const bare = word.toLowerCase().replace(/\.$/, '');
    const label = '(?!-)[a-z0-9_-]{1,63}(?<!-)';
    const fits = bare.length <= 253 && new RegExp(`^${label}(\\.${label})+$`).test(bare);
    return fits && !/^[\d.]+$/.test(bare) ? bare : undefined;
  },
});

/** `address:port`, IPv6 in brackets. */
export const listen = leaf({
  noun: 'an address and a port such as 127.0.0.1:9100 or [::1]:9100',
  json: text,
  read: (word) => {
    const [, v6, v4, digits = ''] = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d+)$/.exec(word) ?? [];
    const address = parsePrefix(`${v6 ?? v4 ?? ''}`);
    const right = address?.family === (v6 === undefined ? 4 : 6) && !(v6 ?? v4)?.includes('/');
    return right && parseWhole(digits, 1, 65535) !== undefined ? word : undefined;
  },
});
