// The form of a gateway's monitor: what its probes ask, and when they are believed.

import * as z from 'zod';
import type { MonitorConfig } from '../model/config.ts';
import { duration, line, whole } from './leaves.ts';
import { parseAddress } from './prefix.ts';
import { leaf, object } from './shape.ts';

const address = leaf({
  noun: 'the address of a host',
  json: { type: 'string' },
  read: (word) => parseAddress(word)?.address,
});

const probe = object({
  ping: address.optional().describe('Answers ICMP echo'),
  dns: address.optional().describe('Answers a DNS query'),
  tcp: line('address:port', /^(\[[0-9a-f:.]+\]|[0-9.]+):\d{1,5}$/)
    .optional()
    .describe('Takes a TCP connection'),
  http: line('a URL', /^https?:\/\/\S+$/)
    .optional()
    .describe('Answers a request'),
})
  .refine((kinds) => Object.keys(kinds).length === 1, {
    error: 'a probe is one of ping, dns, tcp, http with its target',
  })
  .transform((kinds) => {
    const [kind = '', target = ''] = Object.entries(kinds)[0] ?? [];
    return { kind, target };
  })
  .meta({ minProperties: 1, maxProperties: 1 });

const mostRounds = 1000;

export const monitor = object({
  probes: z.array(probe).min(1, { error: 'a monitor needs a probe' }).describe('Whom it asks'),
  interval: duration('10ms', '1h').prefault('1s').describe('Time between two rounds'),
  rise: whole(1, mostRounds).prefault(3).describe('Rounds that make it up'),
  fall: whole(1, mostRounds).prefault(3).describe('Rounds that make it down'),
  quorum: whole(1, mostRounds).prefault(1).describe('Probes of a round that must be answered'),
})
  .refine(({ probes, quorum }) => quorum <= probes.length, {
    error: 'quorum is more than there are probes',
    path: ['quorum'],
  })
  .transform(({ interval, ...rest }): MonitorConfig => ({ ...rest, intervalMs: interval }));
