// What one ipvsadm command line asks for, all defaults applied. Made by parse.ts, used by edit.ts,
// list.ts and run.ts.

import type { ServiceKey } from '../model/table.ts';
import type { Forwarder } from './forwarder.ts';

/** `-A` and `-E`: an edit replaces every field, as ipvsadm's does. */
export interface ServiceCommand {
  kind: 'add-service' | 'edit-service';
  key: ServiceKey;
  scheduler: string;
  schedulerFlags: string[];
  persistence: number;
  /** `--pe`: a PersistenceKey other than `source`, or whatever was written. */
  engine: string;
  netmask: string;
  onePacket: boolean;
}

/** `-a` and `-e`: here too an edit replaces every field. */
export interface ServerCommand {
  kind: 'add-server' | 'edit-server';
  key: ServiceKey;
  address: string;
  port: number;
  weight: number;
  upper: number;
  lower: number;
}

/** A command that changes the table: what edit.ts takes. */
export type EditCommand =
  | ServiceCommand
  | ServerCommand
  | { kind: 'delete-service'; key: ServiceKey }
  | { kind: 'delete-server'; key: ServiceKey; address: string; port: number }
  | { kind: 'flush' }
  | { kind: 'set'; tcp: number; tcpFin: number; udp: number };

export interface ListCommand {
  kind: 'list';
  /** Only this service. */
  key?: ServiceKey;
  what: 'services' | 'connections' | 'timeouts' | 'daemon';
  numeric: boolean;
  stats: boolean;
  rate: boolean;
  thresholds: boolean;
  persistentConn: boolean;
  tunInfo: boolean;
  exact: boolean;
  sort: boolean;
  forwarder: Forwarder;
}

export type Command =
  | EditCommand
  | ListCommand
  | { kind: 'restore' }
  | { kind: 'save'; numeric: boolean; forwarder: Forwarder }
  | { kind: 'zero'; key?: ServiceKey }
  | { kind: 'help' }
  | { kind: 'version' };

/** Where a command line is read. */
export interface Context {
  /**
   * Bits of the packet mark that carry the gateway in the running director: a service's fwmark must
   * not touch them.
   */
  markMask: number;
  /** What the user's environment calls the forwarder. */
  forwarder: Forwarder;
}

export const defaultContext: Context = { markMask: 0xff000000, forwarder: 'ReInj' };

const editKinds = new Set<string>([
  'add-service',
  'edit-service',
  'delete-service',
  'add-server',
  'edit-server',
  'delete-server',
  'flush',
  'set',
]);

/** Whether the command changes the table, and nothing else. */
export const isEdit = (command: Command): command is EditCommand => editKinds.has(command.kind);
