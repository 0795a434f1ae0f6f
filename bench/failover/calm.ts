// Lines that are slow and lose a little, on a machine that has no time: nothing is wrong, and nothing
// may be said to be.

import { type ChildProcess, spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { type FaultSpec, setFault } from '../../src/lab/fault.ts';
import { isDown } from '../../src/model/health.ts';
import { calmMonitor } from './cases.ts';
import { Crowd, type CrowdSize } from './crowd.ts';
import { Ours } from './ours.ts';
import { inLab } from './series.ts';

const nuisances: FaultSpec[] = [
  { kind: 'latency', ms: 20 },
  { kind: 'loss', percent: 2 },
];
const askEveryMs = 10_000;

export interface Calm {
  minutes: number;
  /** How often a gateway was said to be down, and to be suspect. */
  down: number;
  suspect: number;
  requests: number;
  /** Held connections, and how many of them were broken. */
  held: number;
  broken: number;
}

export const measureCalm = (minutes: number, size: CrowdSize): Promise<Calm> =>
  inLab(async (lab) => {
    for (const isp of lab.isps) for (const fault of nuisances) await setFault(lab, isp, fault);
    const ours = await Ours.start(lab, calmMonitor);
    const crowd = new Crowd(lab, 'http', size);
    await crowd.ready();
    crowd.forget();
    const loops = startBusyLoops();
    try {
      for (const end = Date.now() + minutes * 60_000; Date.now() < end; ) {
        crowd.wakeIdle();
        await delay(Math.min(askEveryMs, end - Date.now()));
      }
    } finally {
      for (const loop of loops) loop.kill();
    }
    const { troubles } = await crowd.report();
    await crowd.end();
    await ours.end();
    return {
      minutes,
      down: ours.changes.filter(({ health }) => isDown(health)).length,
      suspect: ours.changes.filter(({ health }) => health === 'suspect').length,
      requests: crowd.requests.length,
      held: size.idle + size.busy,
      broken: troubles.filter(({ failed }) => failed !== null).length,
    };
  });

/** One for each CPU. */
const startBusyLoops = (): ChildProcess[] =>
  Array.from({ length: availableParallelism() }, () =>
    spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }),
  );
