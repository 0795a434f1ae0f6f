// Keeps the kernel at what the configuration says. Three things wake it:
//   1. another file (reload) or another text (apply): parsed, planned, applied, or refused as a whole;
//   2. links, addresses or routes that changed: the same configuration, planned anew;
//   3. somebody who changed what is ours, or time that passed: what is missing is put back.
// What it keeps to lies in the kernel, with what is applied: `lvsj apply` beside it is followed, too.

import { isDeepStrictEqual } from 'node:util';
import type { DirectorEvent, Planned } from '../api/store.ts';
import { loadConfig } from '../config/load.ts';
import { type Parsed, parseConfig } from '../config/parse.ts';
import { setAdmin } from '../kernel/admin.ts';
import { readApplied } from '../kernel/applied.ts';
import type { Done } from '../kernel/apply.ts';
import { dropLost, dropStale, forgetPassedOn, sourcesOf } from '../kernel/conntrack-stale.ts';
import { type Deployment, deploy, foresee, rollBackIfDue } from '../kernel/deploy.ts';
import { Director, markBits } from '../kernel/director.ts';
import { readEnvironment } from '../kernel/environment.ts';
import { writeHealth } from '../kernel/health.ts';
import { nextLeaveS } from '../kernel/leave.ts';
import { withLock } from '../kernel/lock.ts';
import { nftRepair, readRepairs } from '../kernel/write-table.ts';
import type { Applied } from '../model/applied.ts';
import type { Environment } from '../model/environment.ts';
import type { GatewayHealth } from '../model/health.ts';
import { formatProblem } from '../model/problem.ts';
import type { AdminState } from '../model/state.ts';
import { UserError } from '../util/error.ts';
import type { Log } from '../util/log.ts';
import { formatChange, gatewayEvents } from './news.ts';

export interface ReconcilerOptions {
  /** The daemon's own. */
  file: string;
  log: Log;
  emit: (event: DirectorEvent) => void;
  /** What the watch found and the kernel's copy does not say yet. */
  unkept: () => Readonly<Record<string, GatewayHealth>>;
  /** Before what takes long: nothing else is done meanwhile. */
  begins: () => void;
  /** After each apply. */
  done: (applied: Applied, environment: Environment) => void;
}

/** More changes than these are counted in the log, not listed. */
const listedChanges = 20;

export class Reconciler {
  /** Why the newest file was refused; '' if it was not. */
  error = '';
  readonly #options: ReconcilerOptions;
  /** As read last; whenever it changes, follow() is called. */
  #environment: Environment | undefined;
  #applied: Applied | undefined;
  /** The addresses of connections, in text. */
  #sources = '';

  constructor(options: ReconcilerOptions) {
    this.#options = options;
  }

  /** What is applied, as known here. */
  get applied(): Applied | undefined {
    return this.#applied;
  }

  /** Applies the daemon's own file; a refused one changes nothing. */
  reload(): Planned {
    const { file } = this.#options;
    const planned = this.#take(loadConfig(file), file, null);
    this.error = 'problems' in planned ? planned.problems.map(formatProblem).join('\n') : '';
    return planned;
  }

  apply(text: string, file: string, confirmSeconds: number | null): Planned {
    return this.#take(parse(text, file), file, confirmSeconds);
  }

  plan(text: string, file: string): Planned {
    const parsed = parse(text, file);
    if ('problems' in parsed) return { problems: [...parsed.problems, ...parsed.warnings] };
    return { plan: foresee({ config: parsed.config, file }), warnings: parsed.warnings };
  }

  setAdmin(name: string, state: AdminState): void {
    using director = Director.find();
    if (!director) throw new UserError('no director runs in this network namespace');
    this.#tell(withLock(() => setAdmin(director, name, state)));
  }

  /** Follows what became of links, addresses, routes and of what is ours. */
  follow(): void {
    this.#options.begins();
    using director = Director.find();
    const applied = director && readApplied(director);
    const environment = readEnvironment();
    const same = isDeepStrictEqual(environment, this.#environment);
    const repairs = director && applied ? readRepairs(director, applied) : [];
    // Somebody took the director itself away.
    const wanted = applied ?? this.#applied;
    if (!wanted) return;
    if (applied && repairs.length === 0 && same) {
      // Also if nothing is other than before: a carrier may have been gone between two looks, and the watch was told.
      this.#adopt(applied);
      return;
    }
    const { config, file } = wanted;
    const done = this.#deploy({ config, file, environment, repair: true });
    if (repairs.includes(nftRepair)) dropLost(config.markMask);
    if (done.state.changes.length > 0)
      this.#options.emit({ type: 'repaired', changes: done.state.changes });
  }

  /** What the watch of the gateways found, by gatewayKey. */
  keepHealth(health: Record<string, GatewayHealth>): void {
    using director = Director.find();
    const applied = director && writeHealth(director, health);
    if (!applied) return;
    this.#applied = applied;
    const { config, file } = applied;
    // Only the questions to a provider's resolvers are planned by its gateway's health.
    const turned = config.gateways.some(
      ({ name, resolvers }) =>
        resolvers.length > 0 && Object.keys(health).some((key) => key.startsWith(`${name}/`)),
    );
    if (turned) this.#deploy({ config, file, repair: false });
  }

  /** `lvsj apply` beside us: the kernel has it, the watch must know it. */
  #followOthers(): void {
    using director = Director.find();
    const applied = director && readApplied(director);
    const known = applied === this.#applied || isDeepStrictEqual(applied, this.#applied);
    if (applied && !known) this.#adopt(applied);
  }

  /** Whose time has come: connections that are to leave a lower tier, and what nobody confirmed. */
  doWhatIsDue(): void {
    this.#checkConfirmation();
    this.#followOthers();
    if (this.#applied && nextLeaveS(this.#applied) === 0) this.keepHealth({});
  }

  /** Takes back what nobody confirmed in time. */
  #checkConfirmation(): void {
    if (rollBackIfDue() !== 'rolled back') return;
    using director = Director.find();
    const applied = director && readApplied(director);
    if (applied) this.#adopt(applied);
    else this.#applied = undefined;
    const generation = this.#applied?.generation ?? 0;
    this.#options.log.warn(
      { generation },
      'nobody confirmed in time: the configuration before is back',
    );
    this.#options.emit({ type: 'rolled-back', generation });
  }

  #take(parsed: Parsed, file: string, confirmSeconds: number | null): Planned {
    const { log, emit } = this.#options;
    for (const warning of parsed.warnings) log.warn(formatProblem(warning));
    if ('problems' in parsed) {
      for (const problem of parsed.problems) log.error(formatProblem(problem));
      emit({ type: 'refused', file, error: parsed.problems.map(formatProblem).join('\n') });
      return { problems: [...parsed.problems, ...parsed.warnings] };
    }
    const { applied, state } = this.#deploy({ config: parsed.config, file, confirmSeconds });
    const { generation, unconfirmed } = applied;
    emit({ type: 'applied', file, generation, confirmBy: unconfirmed?.by ?? null });
    return { plan: state, warnings: parsed.warnings };
  }

  #deploy(deployment: Deployment): Done {
    this.#options.begins();
    const start = performance.now();
    const environment = deployment.environment ?? this.#environment ?? readEnvironment();
    // What others changed is looked for when they change it: a reload need not wait for that.
    const starts = this.#applied === undefined;
    const repair = deployment.repair ?? starts;
    const health = this.#options.unkept();
    const done = deploy({ ...deployment, environment, health, repair, upgrade: starts });
    this.#environment = environment;
    const tookMs = Math.round(performance.now() - start);
    const { file, generation } = done.applied;
    const { changes } = done.state;
    const level = changes.length > 0 || deployment.repair === undefined ? 'info' : 'debug';
    this.#options.log[level]({ file, generation, changes: changes.length, tookMs }, 'applied');
    for (const change of changes.slice(0, listedChanges))
      this.#options.log.info(formatChange(change));
    this.#tell(done);
    this.#forgetStale(done.applied, environment);
    return done;
  }

  /** All of conntrack is read for it, so only where an address came or went. */
  #forgetStale({ config, objects }: Applied, { links }: Environment): void {
    const bits = markBits(config.markMask);
    const sources = sourcesOf(objects.policies, links, bits);
    const text = JSON.stringify([...sources]);
    if (text === this.#sources) return;
    this.#sources = text;
    dropStale(sources, bits.mask);
  }

  #adopt(applied: Applied): void {
    this.#applied = applied;
    if (this.#environment) this.#options.done(applied, this.#environment);
  }

  #tell({ before, applied }: Done): void {
    this.#adopt(applied);
    const events = gatewayEvents(before, applied);
    if (events.some(({ admin, unavailable }) => admin === 'enabled' && unavailable === ''))
      forgetPassedOn(markBits(applied.config.markMask));
    for (const event of events) {
      const { name, family, admin, unavailable } = event;
      if (unavailable === '') this.#options.log.info({ name, family, admin }, 'gateway available');
      else this.#options.log.warn({ name, family, admin }, `gateway unavailable: ${unavailable}`);
      this.#options.emit(event);
    }
  }
}

/** Of a text that comes without a place of its own: its sets have no files. */
const parse = (text: string, file: string): Parsed =>
  parseConfig(text, file, (path) => {
    throw new Error(`${path}: a configuration that comes over the API reads no files`);
  });
