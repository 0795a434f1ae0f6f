// A configuration in this network namespace: applied with or without a director that runs already, for
// good or until somebody confirms it, and taken back.

import type { Applied } from '../model/applied.ts';
import type { Config } from '../model/config.ts';
import type { Environment } from '../model/environment.ts';
import type { PlannedChange, PlanState } from '../model/state.ts';
import { describePlan } from '../plan/describe.ts';
import { planConfig } from '../plan/plan.ts';
import { UserError } from '../util/error.ts';
import { readApplied, writeApplied } from './applied.ts';
import { type ApplyInput, applyConfig, type Done, lookAhead } from './apply.ts';
import { Director, stopDirector } from './director.ts';
import { readEnvironment } from './environment.ts';
import { withLock } from './lock.ts';
import { emptyTable } from './read-table.ts';
import { isCurrent, upgradeIfNeeded } from './upgrade.ts';
import { readRepairs } from './write-table.ts';

export interface Deployment {
  config: Config;
  file: string;
  /** Seconds until it is taken back unless somebody confirms; null: for good; undefined: as it was. */
  confirmSeconds?: number | null;
  /** As it is now, if the caller knows. */
  environment?: Environment;
  /** See ApplyInput. */
  health?: ApplyInput['health'];
  /** Also what others changed in the kernel: true unless the caller knows that nobody did. */
  repair?: boolean;
  /** Also puts this lvsj's programs in the place of another one's. */
  upgrade?: boolean;
}

/** Applies it, and starts a director if none runs; whatever fails leaves what was there. */
export function deploy(deployment: Deployment): Done {
  return withLock(() => {
    using running = Director.find();
    return running ? applyToRunning(running, deployment) : startWith(deployment);
  });
}

function startWith(deployment: Deployment): Done {
  const { connections, markMask } = deployment.config;
  using director = Director.start({ connections, markMask });
  try {
    return applyTo(director, deployment);
  } catch (error) {
    director.stop();
    throw error;
  }
}

const applyTo = (director: Director, deployment: Deployment): Done =>
  applyConfig(director, toInput(director, deployment));

function applyToRunning(director: Director, deployment: Deployment): Done {
  if (!deployment.upgrade || isCurrent(director)) return applyTo(director, deployment);
  // What is refused changes nothing.
  lookAhead(director, toInput(director, deployment));
  upgradeIfNeeded(director);
  const done = applyTo(director, deployment);
  return { ...done, state: { ...done.state, changes: [upgrade, ...done.state.changes] } };
}

/** As a plan shows it. */
const upgrade: PlannedChange = {
  verb: 'change',
  what: 'director',
  detail: "the programs of this lvsj take the old ones' place; connections stay",
};

function toInput(director: Director, deployment: Deployment): ApplyInput {
  const { config, file, confirmSeconds, environment, health, repair = true } = deployment;
  return {
    config,
    file,
    environment: environment ?? readEnvironment(),
    repair,
    ...(health && { health }),
    ...(confirmSeconds === undefined ? {} : { unconfirmed: until(confirmSeconds, director) }),
  };
}

/** While one waits for its confirmation, what comes back is still the one before it. */
function until(seconds: number | null, director: Director): Applied['unconfirmed'] {
  if (seconds === null) return null;
  const before = readApplied(director);
  const by = new Date(Date.now() + seconds * 1000).toISOString();
  if (before?.unconfirmed) return { ...before.unconfirmed, by };
  return { by, config: before?.config ?? null, file: before?.file ?? '' };
}

/** What deploy would change; changes nothing. */
export function foresee({ config, environment = readEnvironment() }: Deployment): PlanState {
  using director = Director.find();
  if (!director) return foreseeStart(config, environment);
  const outlook = lookAhead(director, { config, file: '', environment, repair: true });
  const state = describePlan({
    config,
    ...outlook,
    repairs: readRepairs(director, outlook.applied),
  });
  return isCurrent(director) ? state : { ...state, changes: [upgrade, ...state.changes] };
}

function foreseeStart(config: Config, environment: Environment): PlanState {
  const have = emptyTable();
  const nothing = { table: have, known: new Map(), applied: undefined, environment };
  const plan = planConfig(config, {}, nothing);
  const described = describePlan({ config, applied: undefined, have, plan, repairs: [] });
  const start = { verb: 'add' as const, what: 'director', detail: 'none runs here yet' };
  return { ...described, changes: [start, ...described.changes] };
}

/** Keeps what waits for its confirmation. */
export function confirm(): Applied {
  return withLock(() => {
    using director = findOrRefuse('lvsj confirm');
    const applied = readApplied(director);
    if (!applied?.unconfirmed)
      throw new UserError('lvsj confirm: nothing waits for a confirmation');
    const kept = { ...applied, unconfirmed: null };
    writeApplied(director, kept);
    return kept;
  });
}

/** What became of a configuration that waits for its confirmation. */
export type Outcome = 'waiting' | 'nothing to do' | 'rolled back';

/** Takes back what nobody confirmed in time. */
export function rollBackIfDue(): Outcome {
  return withLock(() => {
    using director = Director.find();
    const unconfirmed = director && readApplied(director)?.unconfirmed;
    if (!unconfirmed) return 'nothing to do';
    const { by, config, file } = unconfirmed;
    if (Date.now() < Date.parse(by)) return 'waiting';
    // There was none: the one to be taken back started the director.
    if (config === null) stopDirector();
    else
      applyConfig(director, {
        ...{ config, file, environment: readEnvironment() },
        ...{ repair: true, unconfirmed: null },
      });
    return 'rolled back';
  });
}

function findOrRefuse(tried: string): Director {
  const director = Director.find();
  if (director) return director;
  throw new UserError(`${tried}: no director runs in this network namespace`);
}
