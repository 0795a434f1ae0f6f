// The applied configuration as a zod schema: every default filled in, as src/model/config.ts has it.
// What a file may hold is another matter: src/config reads those.

import { z } from 'zod';
import type {
  Config,
  Failback,
  GatewayConfig,
  HookConfig,
  MonitorConfig,
  ProbeConfig,
  RuleConfig,
  ServiceConfig,
  SetConfig,
  Snat,
  Via,
} from '../model/config.ts';
import { schemaOf } from './schema-of.ts';

const text = z.string();
const texts = z.array(text);
const count = z.number();
const ranges = z.array(z.tuple([count, count]));

const via = schemaOf<Via>()(
  z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('address'), address: text }),
    z.object({ kind: z.literal('auto') }),
    z.object({ kind: z.literal('onlink') }),
  ]),
);

const snat = schemaOf<Snat>()(
  z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('address'), address: text }),
    z.object({ kind: z.literal('masquerade') }),
    z.object({ kind: z.literal('none') }),
    z.object({ kind: z.literal('npt'), prefix: text }),
  ]),
);

const endpoint = { address: text, port: count };

const probe = schemaOf<ProbeConfig>()(
  z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('ping'), address: text }),
    z.object({ kind: z.literal('tcp'), ...endpoint }),
    z.object({ kind: z.literal('dns'), ...endpoint, name: text }),
    z.object({ kind: z.literal('http'), url: text, status: z.array(count), body: text }),
    z.object({ kind: z.literal('neighbour') }),
    z.object({ kind: z.literal('bfd') }),
    z.object({ kind: z.literal('command'), command: texts }),
  ]),
);

const failback = schemaOf<Failback>()(
  z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('stay') }),
    z.object({ kind: z.literal('new') }),
    z.object({ kind: z.literal('drain'), seconds: count }),
    z.object({ kind: z.literal('now') }),
  ]),
);

const hook = schemaOf<HookConfig>()(
  z.object({
    on: z.array(z.enum(['up', 'suspect', 'down', 'recovering'])),
    command: texts,
    timeoutMs: count,
  }),
);

const monitor = schemaOf<MonitorConfig>()(
  z.object({
    probes: z.array(probe),
    intervalMs: count,
    timeoutMs: count,
    burstMs: count,
    rise: count,
    fall: count,
    quorum: count,
    window: count,
    loss: z.optional(z.object({ down: count, up: count }).describe('percent')),
    latency: z.optional(z.object({ down: count, up: count }).describe('ms')),
    hold: z.object({ first: count, most: count }).describe('ms'),
  }),
);

const gateway = schemaOf<GatewayConfig>()(
  z
    .object({
      name: text,
      link: text,
      via: z.object({ 4: z.optional(via), 6: z.optional(via) }).describe('by address family'),
      snat: z.object({ 4: snat, 6: snat }).describe('by address family'),
      mtu: count,
      capacity: z.object({ down: count, up: count }).describe('bits a second, 0 = not told'),
      monitor,
      resolvers: texts,
    })
    .meta({ id: 'GatewayConfig' }),
);

const service = schemaOf<ServiceConfig>()(
  z
    .object({
      name: text,
      fwmark: count,
      scheduler: text,
      schedulerFlags: texts,
      persistence: count,
      persistenceKey: z.enum(['source', 'destination', 'source-destination']),
      netmask: z.object({ 4: count, 6: count }).describe('by address family'),
      onePacket: z.boolean(),
      onDown: z.object({
        action: z.enum(['reset', 'reschedule', 'keep']),
        idle: z.boolean(),
      }),
      failback,
      lastResort: z.enum(['main', 'unreachable', 'drop']),
      fastpath: z.enum(['off', 'careful', 'on']),
      gateways: z.array(
        z.object({ gateway: text, weight: count, upper: count, lower: count, tier: count }),
      ),
    })
    .meta({ id: 'ServiceConfig' }),
);

const set = schemaOf<SetConfig>()(
  z.object({ name: text, prefixes: texts, domains: texts }).meta({ id: 'SetConfig' }),
);

const rule = schemaOf<RuleConfig>()(
  z
    .object({
      name: text,
      at: text,
      from: texts,
      to: texts,
      protocols: z.array(count),
      sport: ranges,
      dport: ranges,
      dscp: z.array(count),
      links: texts,
      nft: text,
      service: text,
    })
    .meta({ id: 'RuleConfig' }),
);

export const config = schemaOf<Config>()(
  z
    .object({
      lan: texts,
      router: text,
      connections: count,
      markMask: count,
      timeouts: z.object({ tcp: count, tcpFin: count, udp: count }),
      settings: z.record(text, count),
      api: z.object({ group: text, metricsListen: text, metricsTokenFile: text }),
      gateways: z.array(gateway),
      services: z.array(service),
      sets: z.array(set),
      rules: z.array(rule),
      hooks: z.array(hook),
    })
    .meta({ id: 'Config' }),
);
