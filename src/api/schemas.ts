// The state as zod schemas: what answers are checked against and the OpenAPI document is made of.
// tsc fails where one differs from its type in src/model/state.ts.

import { z } from 'zod';
import type { Problem } from '../model/problem.ts';
import type {
  ConnectionState,
  DaemonState,
  NeedyRule,
  PlannedChange,
  PlanState,
  RuleState,
  ServiceGatewayState,
  ServiceState,
  StatusState,
} from '../model/state.ts';
import { schemaOf } from './schema-of.ts';
import { adminState, family, gatewayHealth, healthChange, totalsState } from './schemas-gateway.ts';
import type { ConnectionPage, DirectorEvent } from './store.ts';

const text = z.string();
const count = z.number();

const serviceGatewayState = schemaOf<ServiceGatewayState>()(
  z
    .object({
      gateway: text,
      address: text,
      tier: count.describe('from 1; used only while all tiers above are down or full'),
      weight: count,
      effectiveWeight: count.describe('as the scheduler sees it: 0 while drained or unavailable'),
      upper: count,
      lower: count,
      active: count,
      inactive: count,
      persistent: count,
      totals: totalsState,
      rates: totalsState,
    })
    .meta({ id: 'ServiceGateway' }),
);

export const serviceState = schemaOf<ServiceState>()(
  z
    .object({
      name: text.describe("'' for one that only lvsj ipvsadm knows"),
      family,
      fwmark: count,
      scheduler: text,
      schedulerFlags: z.array(text),
      persistence: count.describe('seconds, 0 = not persistent'),
      persistenceKey: text,
      netmask: text,
      onePacket: z.boolean(),
      onDown: text.describe('of connections whose gateway is down: keep, reset, reschedule'),
      failback: text.describe(
        'of those on a lower tier once a higher is back: stay, new, now, drain 60s',
      ),
      lastResort: text.describe('of new ones that no gateway takes: main, unreachable, drop'),
      fastpath: text.describe('off, careful: unless rules of others need to see each packet, on'),
      gateways: z.array(serviceGatewayState),
      totals: totalsState,
      rates: totalsState.describe('a second'),
    })
    .meta({ id: 'Service' }),
);

export const ruleState = schemaOf<RuleState>()(
  z
    .object({
      name: text,
      at: text.describe('where in the file: file:line'),
      service: text,
      packets: count.describe('first packets of connections that it decided'),
      bytes: count,
    })
    .meta({ id: 'Rule' }),
);

export const connectionState = schemaOf<ConnectionState>()(
  z
    .object({
      protocol: count.describe('IP protocol number; 0 for a persistence template'),
      family,
      client: text,
      clientPort: count,
      server: text,
      serverPort: count,
      gateway: text,
      gatewayPort: count,
      state: text,
      expires: count.describe('seconds until the entry goes if no packet comes'),
      fwmark: count,
      gatewayName: text,
      serviceName: text,
      age: count.describe('seconds since it began; 0 for a template'),
      reason: text,
      generation: count,
    })
    .meta({ id: 'Connection' }),
);

export const connectionPage = schemaOf<ConnectionPage>()(
  z
    .object({
      items: z.array(connectionState),
      next: z.nullable(text).describe('`after` of the next page; null after the last'),
      total: count.describe('how many the filter lets through, on all pages'),
    })
    .meta({ id: 'ConnectionPage' }),
);

const needyRule = schemaOf<NeedyRule>()(
  z
    .object({
      table: text,
      chain: text,
      rule: text.describe('in words of its program'),
      why: text.describe('what it must see each packet for: quota; limit, LOG'),
    })
    .meta({ id: 'NeedyRule' }),
);

export const daemonState = schemaOf<DaemonState>()(
  z
    .object({
      pid: count,
      error: text.describe("why the newest file was refused, '' if it was not"),
      needyRules: z
        .array(needyRule)
        .describe('rules of others for which services that do not insist keep off the fast path'),
    })
    .meta({ id: 'Daemon' }),
);

export const statusState = schemaOf<StatusState>()(
  z
    .object({
      connections: z.object({ now: count, limit: count }),
      markMask: text,
      config: z.nullable(
        z.object({
          file: text,
          generation: count,
          appliedAt: text,
          confirmBy: z.nullable(text),
        }),
      ),
      daemon: z.nullable(daemonState),
      fastpath: z
        .enum(['off', 'unwatched', 'careful', 'on'])
        .describe(
          'whether packets may take it; careful: only those of services that insist; unwatched: none, no daemon runs',
        ),
      gateways: z.array(
        z.object({
          name: text,
          id: count,
          address: text,
          link: text,
          present: z.boolean(),
          admin: adminState,
          unavailable: text,
          health: gatewayHealth,
        }),
      ),
      verdicts: z.record(text, z.record(text, count)).describe('hook -> verdict -> packets'),
    })
    .meta({ id: 'Status' }),
);

const plannedChange = schemaOf<PlannedChange>()(
  z
    .object({
      verb: z.enum(['add', 'change', 'remove', 'repair']),
      what: text,
      detail: text,
    })
    .meta({ id: 'PlannedChange' }),
);

const planState = schemaOf<PlanState>()(
  z
    .object({
      changes: z.array(plannedChange),
      connections: z
        .object({ total: count, move: count, cut: count })
        .describe('living connections: how many there are, get another gateway, end'),
    })
    .meta({ id: 'Plan' }),
);

export const problem = schemaOf<Problem>()(
  z
    .object({
      severity: z.enum(['error', 'warning']),
      file: text,
      line: count,
      column: count,
      key: text,
      reason: text,
      hint: text,
    })
    .meta({ id: 'Problem' }),
);

export const planned = schemaOf<{ plan: PlanState; warnings: Problem[] }>()(
  z.object({ plan: planState, warnings: z.array(problem) }).meta({ id: 'Planned' }),
);

/** What every refused request is answered with. */
export const apiError = z
  .object({
    error: text.describe('a sentence: what is wrong, what to do'),
    problems: z.optional(z.array(problem)).describe('of a refused configuration, all at once'),
  })
  .meta({ id: 'Error' });

export type ApiError = z.output<typeof apiError>;

const directorEvent = schemaOf<DirectorEvent>()(
  z.discriminatedUnion('type', [
    z.object({
      type: z.literal('applied'),
      file: text,
      generation: count,
      confirmBy: z.nullable(text),
    }),
    z.object({ type: z.literal('confirmed'), generation: count }),
    z.object({ type: z.literal('rolled-back'), generation: count }),
    z.object({ type: z.literal('refused'), file: text, error: text }),
    z.object({ type: z.literal('repaired'), changes: z.array(plannedChange) }),
    z.object({
      type: z.literal('gateway'),
      name: text,
      family,
      admin: adminState,
      unavailable: text,
    }),
    z.object({ type: z.literal('health'), ...healthChange.shape }),
  ]),
);

/** What the stream says beside: events were lost, read the state anew. */
export const streamEvent = z
  .discriminatedUnion('type', [...directorEvent.options, z.object({ type: z.literal('missed') })])
  .meta({ id: 'Event' });
