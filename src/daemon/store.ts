// What the API asks, answered from the kernel; what it tells, done by the reconciler.

import { pageConnections } from '../api/connections.ts';
import type { ConnectionPage, DirectorEvent, Page, Planned, Store } from '../api/store.ts';
import { readApplied } from '../kernel/applied.ts';
import { confirm } from '../kernel/deploy.ts';
import { Director } from '../kernel/director.ts';
import * as kernel from '../kernel/read-state.ts';
import type { Applied } from '../model/applied.ts';
import type { Config } from '../model/config.ts';
import type { ConnectionFilter } from '../model/connection-filter.ts';
import type {
  AdminState,
  DaemonState,
  GatewayState,
  RuleState,
  ServiceState,
  StatusState,
} from '../model/state.ts';
import { UserError } from '../util/error.ts';
import type { FastPath } from './fastpath.ts';
import type { Reconciler } from './reconciler.ts';

export type Listeners = Set<(event: DirectorEvent) => void>;

export interface StoreParts {
  reconciler: Reconciler;
  fastPath: FastPath;
  listeners: Listeners;
}

export class DirectorStore implements Store {
  readonly #reconciler: Reconciler;
  readonly #fastPath: FastPath;
  readonly #listeners: Listeners;

  constructor({ reconciler, fastPath, listeners }: StoreParts) {
    this.#reconciler = reconciler;
    this.#fastPath = fastPath;
    this.#listeners = listeners;
  }

  #read<T>(read: (director: Director, applied: Applied | undefined) => T): T {
    using director = Director.find();
    if (!director) throw new UserError('no director runs in this network namespace');
    return read(director, readApplied(director));
  }

  status = (): StatusState =>
    this.#read((director, applied) => kernel.readStatusState(director, applied, this.daemon()));

  daemon = (): DaemonState => ({
    pid: process.pid,
    error: this.#reconciler.error,
    needyRules: this.#fastPath.needyRules,
  });

  gateways = (): GatewayState[] => this.#read(kernel.readGatewayStates);

  services = (): ServiceState[] => this.#read(kernel.readServiceStates);

  rules = (): RuleState[] => this.#read((_, applied) => kernel.readRuleStates(applied));

  connections = (filter: ConnectionFilter, page: Page): ConnectionPage =>
    this.#read((director, applied) =>
      pageConnections(kernel.readConnectionStates(director, applied), filter, page),
    );

  config = (): Config | null => this.#read((_, applied) => applied?.config ?? null);

  plan = async (text: string, file: string): Promise<Planned> => this.#reconciler.plan(text, file);

  apply = async (text: string, file: string, confirmSeconds: number | null): Promise<Planned> =>
    this.#reconciler.apply(text, file, confirmSeconds);

  confirm = async (): Promise<void> => {
    const { generation } = confirm();
    for (const listener of this.#listeners) listener({ type: 'confirmed', generation });
  };

  reload = async (): Promise<Planned> => this.#reconciler.reload();

  setAdmin = async (gateway: string, admin: AdminState): Promise<void> =>
    this.#reconciler.setAdmin(gateway, admin);

  subscribe = (listener: (event: DirectorEvent) => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
}
