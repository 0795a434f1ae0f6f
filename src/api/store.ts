// What the API asks of whoever knows the director: the daemon has the real one, tests a fake.

import type { Config } from '../model/config.ts';
import type { ConnectionFilter } from '../model/connection-filter.ts';
import type { HealthChange } from '../model/health.ts';
import type { Problem } from '../model/problem.ts';
import type {
  AdminState,
  ConnectionState,
  DaemonState,
  GatewayState,
  PlannedChange,
  PlanState,
  RuleState,
  ServiceState,
  StatusState,
} from '../model/state.ts';
import type { Family } from '../model/table.ts';

/** What was made of a configuration's text: a plan with the warnings, or why it is refused. */
export type Planned = { plan: PlanState; warnings: Problem[] } | { problems: Problem[] };

export interface Page {
  /** `next` of the page before. */
  after?: string | undefined;
  /** Most items. */
  limit: number;
}

export interface ConnectionPage {
  items: ConnectionState[];
  /** Where the next page begins; null after the last. */
  next: string | null;
  /** How many the filter lets through, on all pages. */
  total: number;
}

/** What happened, for who listens. */
export type DirectorEvent =
  | { type: 'applied'; file: string; generation: number; confirmBy: string | null }
  | { type: 'confirmed'; generation: number }
  /** Nobody confirmed in time: the configuration before is back, under a number of its own. */
  | { type: 'rolled-back'; generation: number }
  | { type: 'refused'; file: string; error: string }
  /** What others changed in the kernel was put right, or the kernel's links, addresses and routes were followed. */
  | { type: 'repaired'; changes: PlannedChange[] }
  | { type: 'gateway'; name: string; family: Family; admin: AdminState; unavailable: string }
  | ({ type: 'health' } & HealthChange);

/**
 * A UserError that a reader throws becomes 503, one of a writer 409; its message is shown. Anything else is a bug: 500.
 * Writers queue: two requests may come at once.
 */
export interface Store {
  status(): StatusState;
  daemon(): DaemonState;
  gateways(): GatewayState[];
  services(): ServiceState[];
  rules(): RuleState[];
  /** pageConnections does the work. */
  connections(filter: ConnectionFilter, page: Page): ConnectionPage;
  /** null while none is applied. */
  config(): Config | null;
  /** file: what problems call it. */
  plan(text: string, file: string): Promise<Planned>;
  /** confirmSeconds: what was comes back unless somebody confirms within them; null = it stays. */
  apply(text: string, file: string, confirmSeconds: number | null): Promise<Planned>;
  /** A UserError if there is nothing to confirm. */
  confirm(): Promise<void>;
  /** Applies the daemon's own file. */
  reload(): Promise<Planned>;
  /** gateway: a name that gateways() has. */
  setAdmin(gateway: string, admin: AdminState): Promise<void>;
  /** Returns what ends it. */
  subscribe(listener: (event: DirectorEvent) => void): () => void;
}
