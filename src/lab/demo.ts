// `lvsj lab demo`: the director at work, in seven parts, in a lab of its own. Every command is shown
// as a person would type it, and every claim is a figure that was measured.

import { existsSync } from 'node:fs';
import { UserError } from '../util/error.ts';
import { showDownload } from './demo-download.ts';
import { showFile } from './demo-file.ts';
import { showPaths } from './demo-paths.ts';
import { showRecipe } from './demo-recipe.ts';
import { showPersistence, showShares } from './demo-shares.ts';
import { Stage } from './demo-stage.ts';
import { showStop } from './demo-stop.ts';
import { prepare } from './demo-watch.ts';
import { labDown, labList, labUp } from './lab.ts';
import { planLab } from './topology.ts';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Shows all of it; 1 if any figure is not as it should be. The lab is gone afterwards, whatever happened. */
export async function runDemo(name: string): Promise<number> {
  // With the process's number, so that demos run beside each other and beside any other lab.
  const lab = planLab({ name: `${name}-demo-${process.pid}` });
  await removeLeftovers(name);
  const stop = new AbortController();
  const abort = (): void => stop.abort(new UserError('interrupted', 1));
  for (const signal of signals) process.on(signal, abort);
  // `lvsj lab demo | head` closes the pipe in the middle: nobody reads on, but the lab must go.
  process.stdout.on('error', abort);
  const stage = new Stage(lab, stop.signal);
  const start = performance.now();
  try {
    await labUp(lab);
    await play(stage);
  } catch (error) {
    const problem = stop.signal.aborted ? stop.signal.reason : error;
    if (!(problem instanceof UserError)) throw problem;
    stage.judge('the demo', problem.message, false);
  } finally {
    await labDown(lab.name);
    for (const signal of signals) process.off(signal, abort);
  }
  return conclude(stage, performance.now() - start);
}

async function play(stage: Stage): Promise<void> {
  await prepare(stage);
  const before = await showRecipe(stage);
  await showShares(stage);
  const gateways = await showPersistence(stage);
  await showDownload(stage, gateways);
  await showPaths(stage, gateways);
  await showStop(stage, before);
  await showFile(stage);
}

function conclude(stage: Stage, ms: number): number {
  const { figures, failed } = stage;
  const time = `${(ms / 1000).toFixed(1)} s`;
  if (failed.length === 0) {
    stage.say(`\nAll ${figures} figures are as they should be (${time}).`);
    return 0;
  }
  stage.say(`\n${failed.length} of ${figures} figures FAILED (${time}):`);
  for (const line of failed) stage.say(`  ${line}`);
  return 1;
}

/** Labs of demos that were killed. */
async function removeLeftovers(name: string): Promise<void> {
  for (const entry of labList()) {
    const pid = entry.name.startsWith(`${name}-demo-`) && /-demo-(\d+)$/.exec(entry.name)?.[1];
    if (pid && (pid === String(process.pid) || !existsSync(`/proc/${pid}`)))
      await labDown(entry.name);
  }
}
