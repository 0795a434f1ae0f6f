// A gateway as a zod schema: see schemas.ts.

import { z } from 'zod';
import type { EvidenceState } from '../model/evidence.ts';
import type { GatewayHealth, HealthChange } from '../model/health.ts';
import type { GatewayState, TotalsState } from '../model/state.ts';
import { schemaOf } from './schema-of.ts';

const text = z.string();
const count = z.number();
export const family = z.literal([4, 6]);
export const adminState = z.enum(['enabled', 'drained', 'disabled']);

const bitRates = { down: count, up: count };

export const totalsState = schemaOf<TotalsState>()(
  z
    .object({
      connections: count,
      inPackets: count,
      outPackets: count,
      inBytes: count,
      outBytes: count,
    })
    .meta({ id: 'Totals', description: 'in: from the LAN to the internet' }),
);

const health = z.enum(['up', 'suspect', 'down', 'recovering']);

export const gatewayHealth = schemaOf<GatewayHealth>()(
  z
    .object({
      health,
      reason: text.describe("why, in words; '' while it is up"),
      since: text.describe("since when it is so; '' = since somebody watches"),
      incident: text.describe("one id from the first suspicion to the recovery; '' = none"),
    })
    .meta({ id: 'GatewayHealth' }),
);

const evidenceState = schemaOf<EvidenceState>()(
  z
    .object({
      syns: count.describe('first SYNs of connections'),
      synRepeats: count.describe('SYNs that came again, for nobody had answered'),
      synAnswers: count.describe('connections whose SYN was answered, by a SYN-ACK or a refusal'),
      asks: count.describe('first packets of connections that are no TCP'),
      askAnswers: count.describe('such connections that were answered'),
      unreachables: count.describe('ICMP errors that said: there is no way'),
      delays: z
        .array(count)
        .describe('SYN to SYN-ACK: place i counts those of 2^i to 2^(i+1) microseconds'),
      delaysUs: count.describe('of them all together, in microseconds'),
    })
    .meta({ id: 'Evidence', description: "what packets told of a gateway's health, in all" }),
);

export const gatewayState = schemaOf<GatewayState>()(
  z
    .object({
      name: text.describe("of the configuration; '' for one that only lvsj ipvsadm knows"),
      id: count.describe(
        'its number in marks, routing tables and policy rules; 0 while it has none',
      ),
      family,
      address: text.describe("next hop; '' while it is not known"),
      link: text,
      present: z.boolean().describe('false once no service has it any more'),
      admin: adminState,
      unavailable: text.describe("why no new connection can go there; '' if one can"),
      health: gatewayHealth,
      snat: text,
      capacity: z
        .object({ ...bitRates, downAssumed: z.boolean(), upAssumed: z.boolean() })
        .describe('bits a second'),
      rate: z.object(bitRates).describe('bits a second, averages over some two seconds'),
      connections: z.object({ active: count, inactive: count }),
      totals: totalsState,
      rttUs: z.nullable(count).describe('average time from SYN to SYN-ACK'),
      evidence: evidenceState,
    })
    .meta({ id: 'Gateway' }),
);

/** What an event tells of it. */
export const healthChange = schemaOf<HealthChange>()(
  z.object({ name: text, family, link: text, id: count, from: health, ...gatewayHealth.shape }),
);
