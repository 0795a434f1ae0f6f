// The form of what a service does when gateways fail and come back, and of the commands that are told.

import * as z from 'zod';
import type { Failback, HookConfig, LastResort, OnDown } from '../model/config.ts';
import type { Health } from '../model/health.ts';
import { command } from './command.ts';
import { duration, flag, oneOf, seconds } from './leaves.ts';
import { list, object } from './shape.ts';

const action = oneOf<OnDown['action']>('an action', ['reset', 'reschedule', 'keep']);

export const onDown = z.union([
  action.transform((alone): OnDown => ({ action: alone, idle: false })),
  object({
    action: action.prefault('reset').describe('What becomes of its connections'),
    idle: flag
      .prefault(false)
      .describe('With reset: of idle ones at once, not with their next packet'),
  }).refine(({ action: chosen, idle }) => chosen === 'reset' || !idle, {
    error: 'only reset does anything to idle connections',
    path: ['idle'],
  }),
]);

export const failback = z.union([
  oneOf<'stay' | 'new' | 'now'>('a failback', ['stay', 'new', 'now']).transform(
    (kind): Failback => ({ kind }),
  ),
  object({ drain: seconds.describe('How long connections may go on') }).transform(
    ({ drain }): Failback => ({ kind: 'drain', seconds: drain }),
  ),
]);

export const lastResort = oneOf<LastResort>('a last resort', ['main', 'unreachable', 'drop']);

const health = oneOf<Health>('a health', ['up', 'suspect', 'down', 'recovering']);

export const hook = object({
  on: list(health).optional().describe('What a gateway came to; left out: any'),
  command: command.describe('The path of a program, or a list of it and its arguments'),
  timeout: duration('100ms', '1h').prefault('10s').describe('When it is killed'),
}).transform(
  ({ on = [], timeout, ...rest }): HookConfig => ({
    ...rest,
    on: [...new Set(on)],
    timeoutMs: timeout,
  }),
);
