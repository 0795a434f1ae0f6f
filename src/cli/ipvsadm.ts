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

/** Starts a director if none runs; a refused command starts none, or takes it back. */
function writeOrStart(edit: (table: Table) => Table): void {
  const running = Director.find();
  if (running) {
    writeTable(running, edit);
    return;
  }
  // What the command makes of an empty table tells whether it is refused.
  edit(emptyTable());
  const director = Director.start(defaults);
  try {
    writeTable(director, edit);
  } catch (error) {
    director.stop();
    throw error;
  }
}

const io: IpvsadmIo = {
  context: () => {
    const forwarder = parseForwarder(process.env.LVSJ_FORWARD);
    requireRoot();
    return { markMask: Director.find()?.settings.markMask ?? defaults.markMask, forwarder };
  },
  readTable: () => {
    const director = Director.find();
    return director ? readTable(director) : emptyTable();
  },
  readConnections: () => {
    const director = Director.find();
    return director ? [...readConnections(director)] : [];
  },
  writeTable: (edit) => withLock(() => writeOrStart(edit)),
  zero: (key) =>
    withLock(() => {
      const director = Director.find();
      if (director) zeroCounters(director, key);
    }),
  stdin: () => readFileSync(0, 'utf8'),
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  names: resolver(),
};

export const runIpvsadmCommand = (args: string[]): number => runIpvsadm(args, io);
