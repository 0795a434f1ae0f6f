// lvsj ipvsadm: the command line of src/ipvsadm on the director of this network namespace.

import { readFileSync } from 'node:fs';
import { parseForwarder } from '../ipvsadm/forwarder.ts';
import { type IpvsadmIo, runIpvsadm } from '../ipvsadm/run.ts';
import { Director, defaults, requireRoot } from '../kernel/director.ts';
import { withLock } from '../kernel/lock.ts';
import { readConnections } from '../kernel/read-connections.ts';
import { emptyTable, readTable } from '../kernel/read-table.ts';
import { writeTable, zeroCounters } from '../kernel/write-table.ts';
import type { Table } from '../model/table.ts';
import { tryRun } from '../util/run.ts';

/** Host names as the machine's resolver knows them; asked once each. */
function resolver(): (address: string) => string | undefined {
  const known = new Map<string, string | undefined>();
  return (address) => {
    if (!known.has(address)) {
      const answer = tryRun(['getent', 'hosts', address]);
      known.set(address, answer.stdout.trim().split(/\s+/)[1]);
    }
    return known.get(address);
  };
}

/** Starts a director; a refused command starts none, or takes it back. */
function startWith(edit: (table: Table) => Table): void {
  // What the command makes of an empty table tells whether it is refused.
  edit(emptyTable());
  using director = Director.start(defaults);
  try {
    writeTable(director, edit);
  } catch (error) {
    director.stop();
    throw error;
  }
}

/** The director is found each time anew, as others may stop and start it; closed, as a restore of many lines asks often. */
const io: IpvsadmIo = {
  context: () => {
    const forwarder = parseForwarder(process.env.LVSJ_FORWARD);
    requireRoot();
    using director = Director.find();
    return { markMask: director?.settings.markMask ?? defaults.markMask, forwarder };
  },
  readTable: () => {
    using director = Director.find();
    return director ? readTable(director) : emptyTable();
  },
  readConnections: () => {
    using director = Director.find();
    return director ? [...readConnections(director)] : [];
  },
  writeTable: (edit) =>
    withLock(() => {
      using director = Director.find();
      if (director) writeTable(director, edit);
      else startWith(edit);
    }),
  zero: (key) =>
    withLock(() => {
      using director = Director.find();
      if (director) zeroCounters(director, key);
    }),
  stdin: () => readFileSync(0, 'utf8'),
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  names: resolver(),
};

export const runIpvsadmCommand = (args: string[]): number => runIpvsadm(args, io);
