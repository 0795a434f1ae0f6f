// One fault many times in a lab of its own.

import { startDns } from '../../src/lab/dns.ts';
import { inHost, labDown, labUp } from '../../src/lab/lab.ts';
import { type Lab, planLab } from '../../src/lab/topology.ts';
import { run } from '../../src/util/run.ts';
import { labName } from '../path/labs.ts';
import type { Case } from './cases.ts';
import { type Contender, startMultipath, startScript } from './contender.ts';
import { Crowd, type CrowdSize } from './crowd.ts';
import { Ours } from './ours.ts';
import { makeIdleRun, makeRun, type RunFigures, type Scene } from './run.ts';

export const contenders = {
  ours: (lab: Lab, { monitor }: Case): Promise<Contender> => Ours.start(lab, monitor),
  multipath: async (lab: Lab): Promise<Contender> => startMultipath(lab, false),
  tuned: async (lab: Lab): Promise<Contender> => startMultipath(lab, true),
  script: (lab: Lab): Promise<Contender> => startScript(lab),
};

export type ContenderName = keyof typeof contenders;

export interface SeriesOptions {
  contender: ContenderName;
  case: Case;
  runs: number;
  mostMs: number;
  size: CrowdSize;
}

export interface Series {
  contender: ContenderName;
  case: string;
  runs: RunFigures[];
  /** What ended it before all runs were made, or ''. */
  problem: string;
}

let labs = 0;

/** A lab with a name server; it goes whatever happens. */
export async function inLab<T>(work: (lab: Lab) => Promise<T>): Promise<T> {
  const lab = planLab({ name: labName(`f${++labs}`) });
  await labUp(lab);
  try {
    startDns(lab);
    // Or the server would not know for a minute whether a SYN with the ports of a connection that has
    // just ended is another client's.
    run(inHost(lab.name, 'internet', ['sysctl', '-qw', 'net.ipv4.tcp_max_tw_buckets=0']));
    return await work(lab);
  } finally {
    await labDown(lab.name);
  }
}

/** What was measured stands, whatever happens later. */
export const measureSeries = (options: SeriesOptions): Promise<Series> =>
  inLab(async (lab) => {
    const series = { contender: options.contender, case: options.case.name, problem: '' };
    const runs: RunFigures[] = [];
    let contender: Contender | undefined;
    try {
      contender = await contenders[options.contender](lab, options.case);
      const scene: Scene = { lab, contender, mostMs: options.mostMs };
      await (options.case.ask === 'none' ? idleRuns : busyRuns)(scene, options, runs);
      await contender.end();
    } catch (error) {
      series.problem = `${(error as Error).message} ${contender?.told?.() ?? ''}`.trim();
    }
    return { ...series, runs };
  });

async function idleRuns(scene: Scene, options: SeriesOptions, figures: RunFigures[]) {
  const { isps } = scene.lab;
  for (let index = 0; index < options.runs; index++)
    figures.push(await makeIdleRun(scene, isps[index % isps.length]!, options.case.fault));
}

async function busyRuns(scene: Scene, options: SeriesOptions, figures: RunFigures[]) {
  const { fault, ask } = options.case;
  const crowd = new Crowd(scene.lab, ask === 'dns' ? 'dns' : 'http', options.size);
  await crowd.ready();
  while (figures.length < options.runs) figures.push(await makeRun(scene, crowd, fault));
  await crowd.end();
}
