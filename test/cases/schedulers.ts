// What every scheduler must choose, for all who run them: test/host and test/bpf.

import type { SchedulerCase } from './case.ts';
import { dhCases } from './dh.ts';
import { foCases } from './fo.ts';
import { lblcCases } from './lblc.ts';
import { lblcrCases } from './lblcr.ts';
import { lbwCases } from './lbw.ts';
import { lcCases } from './lc.ts';
import { lrttCases } from './lrtt.ts';
import { mhCases } from './mh.ts';
import { nqCases } from './nq.ts';
import { ovfCases } from './ovf.ts';
import { rrCases } from './rr.ts';
import { sedCases } from './sed.ts';
import { shCases } from './sh.ts';
import { wrrCases } from './wrr.ts';

export const schedulerCases: SchedulerCase[] = [
  ...rrCases,
  ...wrrCases,
  ...lcCases,
  ...shCases,
  ...sedCases,
  ...nqCases,
  ...foCases,
  ...ovfCases,
  ...dhCases,
  ...mhCases,
  ...lblcCases,
  ...lblcrCases,
  ...lbwCases,
  ...lrttCases,
];
