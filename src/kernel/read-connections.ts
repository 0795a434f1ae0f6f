// The connection table -> connections as people see them.

import { addressFromWords, familyOf } from '../model/address.ts';
import type { Connection } from '../model/table.ts';
import * as abi from './abi.gen.ts';
import type { Director } from './director.ts';
import { reasonName } from './names.ts';
import { gatewayAddress } from './read-table.ts';

const states = abi.connState;
const TCP = 6;
const UDP = 17;
const SCTP = 132;
const ICMP = 1;
const ICMPV6 = 58;

const tcpNames =
  'NONE ESTABLISHED SYN_SENT SYN_RECV FIN_WAIT TIME_WAIT CLOSE CLOSE_WAIT LAST_ACK LISTEN SYNACK'.split(
    ' ',
  );

/** From CONN_SCTP on. */
const sctpNames =
  'NONE INIT1 INIT C-SENT C-REPLIED C-WAIT COOKIE C-ECHOED ESTABLISHED S-SENT S-RECEIVED S-ACK-SENT REJECTED CLOSED'.split(
    ' ',
  );

/** As ipvsadm -Lnc names it; what IPVS has no word for goes by its protocol. */
function stateName(protocol: number, state: number): string {
  if (state === states.CONN_TEMPLATE) return 'NONE';
  if (state === states.CONN_TEMPLATE_ASSURED) return 'ASSURED';
  if (protocol === UDP) return 'UDP';
  if (protocol === ICMP || protocol === ICMPV6) return 'ICMP';
  if (protocol === SCTP) return sctpNames[state - states.CONN_SCTP] ?? 'NONE';
  return tcpNames[state] ?? 'NONE';
}

function timeoutOf(
  settings: abi.Settings,
  key: abi.ConnKey,
  conn: abi.Conn,
  state: number,
): number {
  if (key.protocol === 0) return conn.timeoutS;
  if ([TCP, UDP, SCTP].includes(key.protocol)) return settings.timeoutS[state] ?? 0;
  if (key.protocol === ICMP || key.protocol === ICMPV6) return settings.icmpTimeoutS;
  return settings.otherTimeoutS;
}

const reasonOf = (word: number): string =>
  reasonName((word & abi.connWord.WORD_REASON) >> abi.connWord.WORD_REASON_SHIFT);

const nsPerSecond = 1_000_000_000n;

/** A template has none: by another key than the client it holds its fwmark in their place. */
const portsOf = ({ protocol, clientPort, serverPort }: abi.ConnKey) =>
  protocol === 0 ? { clientPort: 0, serverPort: 0 } : { clientPort, serverPort };

/** Makes connections of entries. What it needs beside them it reads once. */
export function connectionReader(director: Director) {
  const { settings, maps } = director;
  const slots = maps.slots.all(settings.slotsUsed);
  const gateways = maps.gateways.all();
  // The clock of the datapath: CLOCK_MONOTONIC.
  const now = process.hrtime.bigint();
  return (key: abi.ConnKey, conn: abi.Conn): Connection => {
    const state = conn.word & abi.connWord.WORD_STATE;
    const slot = slots.get(conn.slot);
    const age = Number((now - conn.seenNs) / nsPerSecond);
    const client = addressFromWords(key.client.word);
    const ports = portsOf(key);
    return {
      protocol: key.protocol,
      family: familyOf(client),
      client,
      server: addressFromWords(key.server.word),
      ...ports,
      gateway: gatewayAddress(gateways.get(slot?.gateway ?? 0)),
      // A gateway has no ports: IPVS shows the packet's own, and 0 for a template.
      gatewayPort: slot?.port || ports.serverPort,
      state: stateName(key.protocol, state),
      expires: Math.max(0, timeoutOf(settings, key, conn, state) - age),
      fwmark: slot?.fwmark ?? 0,
      age: key.protocol === 0 ? 0 : Math.max(0, Number(now / nsPerSecond) - conn.beganS),
      reason: reasonOf(conn.word),
      generation: key.protocol === 0 ? 0 : conn.generation,
    };
  };
}

/** All connections and templates, in the order of the hash: none. */
export function* readConnections(director: Director): Generator<Connection> {
  const toConnection = connectionReader(director);
  for (const [key, conn] of director.maps.connections())
    if ((conn.word & abi.connWord.WORD_STATE) !== states.CONN_DEAD) yield toConnection(key, conn);
}
