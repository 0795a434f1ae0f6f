// `lvsj ipvsadm ARGS`: command line -> command -> the director, behind an interface. Every exit
// goes through here.

import type { Connection, ServiceKey, Table } from '../model/table.ts';
import { exit, UserError } from '../util/error.ts';
import {
  type Command,
  type Context,
  type EditCommand,
  isEdit,
  type ListCommand,
} from './command.ts';
import { editTable } from './edit.ts';
import { findService } from './find.ts';
import type { Names } from './format.ts';
import { formatHelp, formatVersion } from './help.ts';
import { formatConnections, formatList, formatTimeouts } from './list.ts';
import { parseCommand } from './parse.ts';
import { parseRestore, type RestoreLine } from './restore.ts';
import { formatSave } from './save.ts';

/**
 * The director and the terminal, as seen from here. Any of it may throw UserError: its sentence is
 * printed.
 */
export interface IpvsadmIo {
  /** Asked before anything else, even for help: must not need a running director. */
  context(): Context;
  readTable(): Table;
  readConnections(): Connection[];
  /**
   * Takes the lock, reads, applies what `edit` makes of it whole or not at all, frees the lock.
   * May call `edit` more than once: its last answer counts.
   */
  writeTable(edit: (table: Table) => Table): void;
  /** Zeroes the counters of one service and its gateways, or all. */
  zero(key?: ServiceKey): void;
  stdin(): string;
  out(text: string): void;
  err(text: string): void;
  /** Host names for listings without `-n`. */
  names?: Names;
}

/** Runs one command line and returns its exit status. */
export function runIpvsadm(args: readonly string[], io: IpvsadmIo): number {
  return attempt(printTo(io), () => {
    const command = parseCommand(args, io.context());
    return command.kind === 'restore' ? runRestore(io) : execute(command, io);
  });
}

/** `io.err` alone would lose its `this`. */
const printTo = (io: IpvsadmIo) => (text: string) => io.err(text);

/** Turns a UserError into its line and its status; anything else is a bug of ours and goes up. */
function attempt(print: (text: string) => void, act: () => number): number {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    print(`${error.message}\n`);
    return error.status;
  }
}

function execute(command: Exclude<Command, { kind: 'restore' }>, io: IpvsadmIo): number {
  if (isEdit(command)) return edit(command, io);
  switch (command.kind) {
    case 'list':
      io.out(formatListing(command, io));
      break;
    case 'save':
      io.out(formatSave(io.readTable(), command.forwarder));
      break;
    case 'zero':
      zero(command.key, io);
      break;
    case 'help':
      io.out(formatHelp());
      break;
    case 'version':
      io.out(formatVersion());
      break;
  }
  return exit.ok;
}

function edit(command: EditCommand, io: IpvsadmIo): number {
  io.writeTable((table) => editTable(table, command));
  return exit.ok;
}

function formatListing(command: ListCommand, io: IpvsadmIo): string {
  switch (command.what) {
    case 'services':
      return formatList(io.readTable(), command, io.names);
    case 'connections':
      return formatConnections(io.readConnections(), command, io.names);
    case 'timeouts':
      return formatTimeouts(io.readTable());
    case 'daemon':
      // No sync daemon ever runs, and ipvsadm prints nothing then.
      return '';
  }
}

function zero(key: ServiceKey | undefined, io: IpvsadmIo): void {
  if (key && !findService(io.readTable(), key)) throw new UserError('No such service');
  io.zero(key);
}

/** A line's part in one write of the table: an edit, or an error to print in its turn. */
type Step = EditCommand | UserError;

/**
 * `-R`: the status is that of the last line; refusals are printed and passed over. Consecutive
 * edits are written together: a table of a thousand lines takes one lock and one read.
 */
function runRestore(io: IpvsadmIo): number {
  let status: number = exit.ok;
  let steps: Step[] = [];
  for (const line of parseRestore(io.stdin(), io.context())) {
    const step = toStep(line);
    if (step) {
      steps.push(step);
      continue;
    }
    status = applySteps(steps, io, status);
    steps = [];
    if ('error' in line) throw line.error;
    const { command } = line;
    if (command.kind === 'restore') continue;
    status = attempt(
      (text) => io.err(text),
      () => execute(command, io),
    );
    // Help, the version and a failed listing leave at once: ipvsadm's habit.
    if (command.kind === 'help' || command.kind === 'version' || status === exit.list)
      return status;
  }
  return applySteps(steps, io, status);
}

function toStep(line: RestoreLine): Step | undefined {
  if ('error' in line) return line.fatal ? undefined : line.error;
  return isEdit(line.command) ? line.command : undefined;
}

/** Returns the status of the last step, or `before` if there is none. */

/** Returns the status of the last step, or `before` if there is none. */
function applySteps(steps: readonly Step[], io: IpvsadmIo, before: number): number {
  if (steps.length > 1) {
    try {
      return applyTogether(steps, io);
    } catch (error) {
      // The director refused the whole: one line may be at fault, and the others must get their
      // chance.
      if (!(error instanceof UserError)) throw error;
    }
  }
  let status = before;
  for (const step of steps)
    status = attempt(printTo(io), () => {
      if (step instanceof UserError) throw step;
      return edit(step, io);
    });
  return status;
}

function applyTogether(steps: readonly Step[], io: IpvsadmIo): number {
  let status: number = exit.ok;
  let refusals: UserError[] = [];
  io.writeTable((start) => {
    // The director may ask twice: first what would come of it, then with the lock held.
    refusals = [];
    let table = start;
    for (const step of steps) {
      try {
        if (step instanceof UserError) throw step;
        table = editTable(table, step);
        status = exit.ok;
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        refusals.push(error);
        status = error.status;
      }
    }
    // Nothing to write, so no director should start for it.
    if (table === start && refusals[0]) throw refusals[0];
    return table;
  });
  // Said only now: had the director refused the whole, the lines would be tried again one by one.
  for (const { message } of refusals) io.err(`${message}\n`);
  return status;
}
