// What every scheduler must choose, for all who run them: test/host and test/bpf.

import type { SchedulerCase } from './case.ts';
import { lcCases } from './lc.ts';
import { rrCases } from './rr.ts';
import { shCases } from './sh.ts';
import { wrrCases } from './wrr.ts';

export const schedulerCases: SchedulerCase[] = [...rrCases, ...wrrCases, ...lcCases, ...shCases];
