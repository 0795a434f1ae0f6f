// Asks the datapath what it would do with a connection's first packet: see bpf/explain.h.

import type { DryRun, FlowKey } from '../explain/source.ts';
import { addressToWords } from '../model/address.ts';
import type { ServiceKey } from '../model/table.ts';
import * as abi from './abi.gen.ts';
import type { Director } from './director.ts';
import { withLock } from './lock.ts';
import { reasonName, verdictName } from './names.ts';
import { connectionReader } from './read-connections.ts';

/** Those whose ports, or whose echo's identifier, the datapath looks at: see bpf/parse.h. */
const withPorts = [6, 17, 132, 1, 58];

function toKey({ protocol, client, clientPort, server, serverPort }: FlowKey): abi.ConnKey {
  const ports = withPorts.includes(protocol) ? { clientPort, serverPort } : noPorts;
  return {
    client: { word: addressToWords(client) },
    server: { word: addressToWords(server) },
    ...ports,
    ...{ protocol, persistence: 0 },
  };
}

const noPorts = { clientPort: 0, serverPort: 0 };

/** Nothing changes by it. Waits while somebody writes: there is one place for requests. */
export function dryRun(director: Director, service: ServiceKey, flow: FlowKey): DryRun {
  const conn = toKey(flow);
  const answer = withLock(() =>
    director.request({ kind: abi.requestKind.REQUEST_EXPLAIN, key: { ...service, tier: 0 }, conn }),
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
