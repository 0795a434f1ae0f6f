// A director in memory, for tests of the command line: the table, what was printed, how often it
// was written.

import type { Context } from '../src/ipvsadm/command.ts';
import type { Names } from '../src/ipvsadm/format.ts';
import type { Forwarder } from '../src/ipvsadm/forwarder.ts';
import { type IpvsadmIo, runIpvsadm } from '../src/ipvsadm/run.ts';
import { type Connection, noCounters, type ServiceKey, type Table } from '../src/model/table.ts';

export class MemoryIo implements IpvsadmIo {
  table: Table = { services: [], timeouts: { tcp: 900, tcpFin: 120, udp: 300 }, size: 4096 };
  connections: Connection[] = [];
  markMask = 0xff000000;
  forwarder: Forwarder = 'ReInj';
  names?: Names;
  input = '';
  stdout = '';
  stderr = '';
  /** Both streams, in the order of printing. */
  said = '';
  writes = 0;

  context = (): Context => ({ markMask: this.markMask, forwarder: this.forwarder });
  readTable = (): Table => this.table;
  readConnections = (): Connection[] => this.connections;
  stdin = (): string => this.input;

  writeTable(edit: (table: Table) => Table): void {
    this.table = edit(this.table);
    this.writes += 1;
  }

  zero(key?: ServiceKey): void {
    const zeroed = { totals: noCounters(), rates: noCounters() };
    const services = this.table.services.map((service) =>
      key && (service.fwmark !== key.fwmark || service.family !== key.family)
        ? service
        : {
            ...service,
            ...zeroed,
            gateways: service.gateways.map((gateway) => ({ ...gateway, ...zeroed })),
          },
    );
    this.table = { ...this.table, services };
  }

  out(text: string): void {
    this.stdout += text;
    this.said += text;
  }

  err(text: string): void {
    this.stderr += text;
    this.said += text;
  }

  /** Runs one command line; what it printed replaces what the one before printed. */
  run(args: readonly string[], input = ''): number {
    this.input = input;
    this.stdout = '';
    this.stderr = '';
    this.said = '';
    return runIpvsadm(args, this);
  }
}
