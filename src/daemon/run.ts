// The daemon: `lvsj run`. Wiring only: signals, files, monitors, timers and sockets to the reconciler.

import { once } from 'node:events';
import { watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import { createApi } from '../api/app.ts';
import { listenApi } from '../api/listen.ts';
import { listenMetrics } from '../api/listen-metrics.ts';
import { formatMetrics } from '../api/metrics.ts';
import type { DirectorEvent } from '../api/store.ts';
import { tellDomainSet } from '../kernel/domain-sets.ts';
import { notify, watchdogIntervalMs } from '../kernel/notify.ts';
import { watchNetwork, watchNft } from '../kernel/watch.ts';
import { exit, UserError } from '../util/error.ts';
import type { Log } from '../util/log.ts';
import { takePriority } from '../util/priority.ts';
import { socketPath } from '../util/socket-path.ts';
import { DomainFeeder } from './domains.ts';
import { FastPath } from './fastpath.ts';
import { GatewayWatch } from './gateway-watch.ts';
import { Hooks } from './hooks.ts';
import { later } from './later.ts';
import { Reconciler } from './reconciler.ts';
import { DirectorStore, type Listeners, type StoreParts } from './store.ts';

export interface DaemonOptions {
  file: string;
  log: Log;
  version: string;
}

/** Events come in swarms: one look is enough for all of one. */
const settleMs = 20;
/** An editor writes a file in several steps. */
const fileSettleMs = 100;
const dueMs = 500;
/** A link that goes while we follow it refuses what we write. */
const retryMs = 500;
const lookMs = 30_000;

/** Ends with SIGTERM or SIGINT. */
export async function runDaemon(options: DaemonOptions): Promise<void> {
  const { file, log } = options;
  takePriority();
  await using stack = new AsyncDisposableStack();
  const over = new AbortController();
  stack.defer(() => over.abort());
  const { signal } = over;
  const listeners: Listeners = new Set();
  const { reconciler, watch, fastPath } = makeParts(options, { log, stack, signal, listeners });
  const again = later({ ms: retryMs, signal }, () => follow());
  const follow = later(
    { ms: settleMs, signal },
    guarded(log, () => reconciler.follow(), again),
  );
  const reload = guarded(log, () => reloadAndTell(reconciler));
  // Before the first look: what happens after it is told.
  const listener = { ...watch.listener, any: () => fastPath.changed() };
  stack.adopt(watchNetwork(follow, listener), (each) => each.close());
  stack.adopt(watchNft(follow), (each) => each.close());
  stack.defer(watchFile(file, later({ ms: fileSettleMs, signal }, reload)));
  start(reconciler, file);
  feedDomains({ reconciler, fastPath, listeners }, { log, stack });
  const store = new DirectorStore({ reconciler, fastPath, listeners });
  await openSockets(store, reconciler, { ...options, stack });
  const doWhatIsDue = guarded(log, () => reconciler.doWhatIsDue());
  stack.defer(onSignal('SIGHUP', reload));
  for (const end of [every(dueMs, doWhatIsDue), every(lookMs, follow), keepWatchdog()])
    stack.defer(end);
  tellReady(reconciler);
  await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')]);
  over.abort();
  notify({ stopping: true });
  log.info('ends; connections and the director go on without it');
}

/** Who keeps the kernel at the configuration, and who watches the gateways: each tells the other. */
function makeParts(
  { file, log }: DaemonOptions,
  { stack, signal, listeners }: Parts & { signal: AbortSignal; listeners: Listeners },
): { reconciler: Reconciler; watch: GatewayWatch; fastPath: FastPath } {
  const hooks = new Hooks(log);
  stack.defer(() => hooks.close());
  const emit = (event: DirectorEvent): void => {
    for (const listener of listeners) listener(event);
    if (event.type === 'health') hooks.told(event, reconciler.applied?.config.hooks ?? []);
  };
  const watch: GatewayWatch = new GatewayWatch({
    ...{ log, emit, signal },
    keep: (health) => reconciler.keepHealth(health),
    config: () => reconciler.applied?.config,
  });
  stack.defer(() => watch.close());
  const fastPath = new FastPath({ log, signal });
  stack.defer(() => fastPath.close());
  const reconciler = new Reconciler({
    ...{ file, log, emit },
    unkept: () => watch.unkept,
    begins: () => fastPath.hold(),
    done: (applied, environment) => {
      watch.update(applied, environment);
      fastPath.update(applied, environment);
    },
  });
  return { reconciler, watch, fastPath };
}

interface Parts {
  log: Log;
  /** Gets what must be closed at the end. */
  stack: AsyncDisposableStack;
}

function feedDomains({ reconciler, fastPath, listeners }: StoreParts, { log, stack }: Parts): void {
  const feeder = new DomainFeeder(
    log,
    () => reconciler.applied?.objects.sets ?? [],
    (...words) => fastPath.whileOurs(() => tellDomainSet(...words)),
  );
  stack.defer(() => feeder.close());
  listeners.add(() => feeder.update());
  feeder.update();
}

/** A file that is refused at the start is no reason to end where an earlier one is applied. */
function start(reconciler: Reconciler, file: string): void {
  const planned = reconciler.reload();
  if (!('problems' in planned)) return;
  reconciler.follow();
  if (!reconciler.applied)
    throw new UserError(
      `${file} is refused, and no configuration is applied yet:\n${reconciler.error}`,
      // Not to be started again and again: see packaging/lvsj.service.
      exit.usage,
    );
}

function reloadAndTell(reconciler: Reconciler): void {
  notify({ reloading: true });
  try {
    reconciler.reload();
  } finally {
    tellReady(reconciler);
  }
}

function tellReady({ applied, error }: Reconciler): void {
  const what = `configuration ${applied?.generation ?? 0} is applied`;
  const status = error === '' ? what : `${what}; the file is refused: ${error.split('\n')[0]}`;
  notify({ ready: true, status });
}

/** What the user can repair is logged and leaves things as they are; anything else is a bug and ends us. */
const guarded = (log: Log, work: () => void, failed?: () => void) => (): void => {
  try {
    work();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    log.error(error.message);
    failed?.();
  }
};

async function openSockets(
  store: DirectorStore,
  { applied }: Reconciler,
  { log, version, stack }: Parts & Pick<DaemonOptions, 'version'>,
): Promise<void> {
  const { group = '', metricsListen = '', metricsTokenFile = '' } = applied?.config.api ?? {};
  const app = createApi(store, { version, logger: log });
  await listenApi(app, { path: socketPath(), group });
  stack.defer(() => app.close());
  if (metricsListen === '') return;
  const server = await listenMetrics({
    listen: metricsListen,
    tokenFile: metricsTokenFile,
    readMetrics: () => formatMetrics(store, version),
    onError: (err) => log.error({ err }, 'metrics'),
  });
  stack.adopt(server, (each) => each.close());
}

/** The folder, not the file: editors put a new file in the place of the old one. */
function watchFile(file: string, changed: () => void): () => void {
  const watcher = watch(dirname(file), (_, name) => {
    if (name === basename(file)) changed();
  });
  return () => watcher.close();
}

function onSignal(signal: NodeJS.Signals, work: () => void): () => void {
  process.on(signal, work);
  return () => process.off(signal, work);
}

function every(ms: number, work: () => void): () => void {
  const timer = setInterval(work, ms);
  return () => clearInterval(timer);
}

function keepWatchdog(): () => void {
  const ms = watchdogIntervalMs();
  return ms === undefined ? () => {} : every(ms, () => notify({ watchdog: true }));
}
