// The form of a gateway's monitor: what its probes ask, and when they are believed.

import * as z from 'zod';
import type { MonitorConfig, ProbeConfig } from '../model/config.ts';
import { defaultMonitor } from '../model/monitor.ts';
import { duration, line, whole } from './leaves.ts';
import { parseAddress } from './prefix.ts';
import { leaf, object } from './shape.ts';

const address = leaf({
  noun: 'the address of a host',
  json: { type: 'string' },
  read: (word) => parseAddress(word)?.address,
});

const endpoint = leaf({
  noun: 'address:port',
  json: { type: 'string' },
  read: (word) => {
    const [, host = '', port = ''] = /^\[?([0-9a-fA-F:.]+?)\]?:(\d{1,5})$/.exec(word) ?? [];
    const found = parseAddress(host)?.address;
    return found === undefined || Number(port) > 65535
      ? undefined
      : { address: found, port: Number(port) };
  },
});

const probe = object({
  ping: address.optional().describe('Answers ICMP echo'),
  dns: address.optional().describe('Answers a DNS query'),
  tcp: endpoint.optional().describe('Takes a TCP connection'),
  http: line('a URL', /^https?:\/\/\S+$/)
    .optional()
    .describe('Answers a request'),
})
  .refine((kinds) => Object.keys(kinds).length === 1, {
    error: 'a probe is one of ping, dns, tcp, http with its target',
  })
  .transform(({ ping, dns, tcp, http }): ProbeConfig => {
    if (ping !== undefined) return { kind: 'ping', address: ping };
    if (dns !== undefined) return { kind: 'dns', address: dns, port: 53, name: 'example.com' };
    if (tcp !== undefined) return { kind: 'tcp', ...tcp };
    return { kind: 'http', url: http ?? '', status: [200, 204], body: '' };
  })
  .meta({ minProperties: 1, maxProperties: 1 });

const mostRounds = 1000;

export const monitor = object({
  probes: z.array(probe).describe('Whom it asks'),
  interval: duration('10ms', '1h').prefault('1s').describe('Time between two rounds'),
  rise: whole(1, mostRounds).prefault(3).describe('Rounds that make it up'),
  fall: whole(1, mostRounds).prefault(3).describe('Rounds that make it down'),
  quorum: whole(1, mostRounds).prefault(1).describe('Probes of a round that must be answered'),
})
  .refine(({ probes, quorum }) => quorum <= Math.max(1, probes.length), {
    error: 'quorum is more than there are probes',
    path: ['quorum'],
  })
  .transform(
    ({ interval, ...rest }): MonitorConfig => ({
      ...defaultMonitor,
      ...rest,
      intervalMs: interval,
    }),
  );
