// Asks the datapath what it would do with a connection's first packet: see bpf/explain.h.

import { addressToWords } from '../model/address.ts';
import type { Connection, ServiceKey } from '../model/table.ts';
import * as abi from './abi.gen.ts';
import type { Director } from './director.ts';
import { withLock } from './lock.ts';
import { reasonName, verdictName } from './names.ts';
import { connectionReader } from './read-connections.ts';

/** A connection as the LAN sees it. */
export interface FlowKey {
  /** IP protocol number. */
  protocol: number;
  client: string;
  /** Of an ICMP echo: its identifier. Protocols without ports: 0. */
  clientPort: number;
  server: string;
  serverPort: number;
}

export interface DryRun {
  /** As `lvsj status` counts it: known, new, template, no_gateway … */
  verdict: string;
  /** How its gateway was chosen (verdict known) or would be; '' if it gets none. */
  reason: string;
  /** The gateway's id, 0 = none. */
  gateway: number;
  /** That there is already, with the id of its gateway. */
  connection?: Connection & { gatewayId: number };
  /** Of a persistent service: that of its client, usable or not. */
  template?: Connection & { gatewayId: number };
}

const toKey = (flow: FlowKey): abi.ConnKey => ({
  client: { word: addressToWords(flow.client) },
  server: { word: addressToWords(flow.server) },
  clientPort: flow.clientPort,
  serverPort: flow.serverPort,
  protocol: flow.protocol,
  persistence: 0,
});

/** Nothing changes by it. Waits while somebody writes: there is one place for requests. */
export function dryRun(director: Director, service: ServiceKey, flow: FlowKey): DryRun {
  const conn = toKey(flow);
  const answer = withLock(() =>
    director.request({ kind: abi.requestKind.REQUEST_EXPLAIN, key: service, conn }),
  ).explanation;
  const { EXPLAINED_CONN, EXPLAINED_TEMPLATE } = abi.explained;
  const toConnection = connectionReader(director);
  const gatewayId = (slot: number): number => director.maps.slots.get(slot)?.gateway ?? 0;
  const read = (key: abi.ConnKey, entry: abi.Conn) => ({
    ...toConnection(key, entry),
    gatewayId: gatewayId(entry.slot),
  });
  return {
    verdict: verdictName(answer.verdict),
    reason: reasonName(answer.reason),
    gateway: answer.slot === 0 ? 0 : gatewayId(answer.slot),
    ...(answer.found & EXPLAINED_CONN ? { connection: read(conn, answer.conn) } : {}),
    ...(answer.found & EXPLAINED_TEMPLATE
      ? { template: read(answer.templateKey, answer.template) }
      : {}),
  };
}
