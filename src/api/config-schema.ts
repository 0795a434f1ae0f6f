// The applied configuration as a zod schema: every default filled in, as src/model/config.ts has it.
// What a file may hold is another matter: src/config reads those.

import { z } from 'zod';
import type {
  Config,
  GatewayConfig,
  MonitorConfig,
  RuleConfig,
  ServiceConfig,
  SetConfig,
  Snat,
  Via,
} from '../model/config.ts';
import { schemaOf } from './schemas.ts';

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

const monitor = schemaOf<MonitorConfig>()(
  z.object({
    probes: z.array(z.object({ kind: text, target: text })),
    intervalMs: count,
    rise: count,
    fall: count,
    quorum: count,
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
      monitor: z.optional(monitor),
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
      gateways: z.array(z.object({ gateway: text, weight: count, upper: count, lower: count })),
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
    })
    .meta({ id: 'Config' }),
);
