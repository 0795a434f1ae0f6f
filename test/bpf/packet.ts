// Packets for tests, header by header:
//
//   packet().ipv4({ src: '10.0.0.2', dst: '198.51.100.9' }).tcp({ sport: 4000, dport: 80, flags: 'S' })
//
// Each header fills in what the one before it says of it (type, length). Transport checksums stay
// zero: the programs look at none.

import ipaddr from 'ipaddr.js';

export const mac = {
  /** The loopback device's own, which BPF_PROG_TEST_RUN takes for the receiver. */
  loopback: '00:00:00:00:00:00',
  /** The test bed's lan0, for packets that come in by wire. */
  lan: '02:00:00:00:00:01',
  broadcast: 'ff:ff:ff:ff:ff:ff',
  multicast4: '01:00:5e:00:00:fb',
  multicast6: '33:33:00:00:00:fb',
  stranger: '02:00:00:00:00:99',
} as const;

export const protocol = {
  hopByHop: 0,
  icmp: 1,
  tcp: 6,
  udp: 17,
  ipv6: 41,
  routing: 43,
  fragment: 44,
  gre: 47,
  esp: 50,
  ah: 51,
  icmpv6: 58,
  noNext: 59,
  destinationOptions: 60,
  sctp: 132,
} as const;

const etherType = { ipv4: 0x0800, ipv6: 0x86dd, vlan: 0x8100 } as const;
/** IEEE's "local experimental": for packets that are not IP. */
const experimental = 0x88b5;

const tcpFlags: Record<string, number> = { F: 1, S: 2, R: 4, P: 8, A: 16, U: 32 };

/** Chunk types of SCTP. */
const sctpChunks: Record<string, number> = {
  ...{ DATA: 0, INIT: 1, 'INIT-ACK': 2, SACK: 3, HEARTBEAT: 4, 'HEARTBEAT-ACK': 5 },
  ...{ ABORT: 6, SHUTDOWN: 7, 'SHUTDOWN-ACK': 8, ERROR: 9 },
  ...{ 'COOKIE-ECHO': 10, 'COOKIE-ACK': 11, ECNE: 12, CWR: 13, 'SHUTDOWN-COMPLETE': 14 },
};

/** icmp: the type and code of both families. */
const icmpKinds = {
  4: { request: [8, 0], reply: [0, 0], unreachable: [3, 3] },
  6: { request: [128, 0], reply: [129, 0], unreachable: [1, 4] },
} as const;

interface Layer {
  /** How the header before names this one; undefined for bytes without a name. */
  type: number | undefined;
  bytes(payload: Buffer, next: number | undefined): Buffer;
}

const words = (...values: number[]): Buffer => {
  const bytes = Buffer.alloc(values.length * 2);
  for (const [i, value] of values.entries()) bytes.writeUInt16BE(value & 0xffff, i * 2);
  return bytes;
};

const macBytes = (text: string): Buffer => Buffer.from(text.replaceAll(':', ''), 'hex');
const addressBytes = (text: string): Buffer => Buffer.from(ipaddr.parse(text).toByteArray());

/** A chunk by its name or type; a cookie of five bytes shows whether padding is skipped. */
function sctpChunk(name: string): Buffer {
  const length = name === 'COOKIE-ECHO' ? 9 : 4;
  const bytes = Buffer.alloc(Math.ceil(length / 4) * 4);
  bytes[0] = sctpChunks[name] ?? Number(name);
  bytes.writeUInt16BE(length, 2);
  return bytes;
}

/** The internet's checksum: one's complement of the one's complement sum. */
function checksum(bytes: Buffer): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += bytes.readUInt16BE(i);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

export interface Ipv4Fields {
  src: string;
  dst: string;
  ttl?: number;
  dscp?: number;
  /** offset in bytes, a multiple of 8. */
  fragment?: { offset?: number; more?: boolean };
  /** Bytes of options, a multiple of 4. */
  options?: number;
  /** What the header claims, where it is not to be true. */
  version?: number;
  headerWords?: number;
  length?: number;
  protocol?: number;
}

function ipv4Header(fields: Ipv4Fields, payload: Buffer, next: number | undefined): Buffer {
  const options = fields.options ?? 0;
  const header = Buffer.alloc(20 + options);
  header[0] = ((fields.version ?? 4) << 4) | (fields.headerWords ?? header.length / 4);
  header[1] = (fields.dscp ?? 0) << 2;
  header.writeUInt16BE(fields.length ?? header.length + payload.length, 2);
  const { offset = 0, more = false } = fields.fragment ?? {};
  header.writeUInt16BE((more ? 0x2000 : 0) | (offset / 8), 6);
  header[8] = fields.ttl ?? 64;
  header[9] = fields.protocol ?? next ?? 0;
  addressBytes(fields.src).copy(header, 12);
  addressBytes(fields.dst).copy(header, 16);
  header.fill(1, 20); // no-operation options
  header.writeUInt16BE(checksum(header), 10);
  return header;
}

export interface Ipv6Fields {
  src: string;
  dst: string;
  /** Hop limit. */
  ttl?: number;
  dscp?: number;
  version?: number;
  length?: number;
  protocol?: number;
}

function ipv6Header(fields: Ipv6Fields, payload: Buffer, next: number | undefined): Buffer {
  const header = Buffer.alloc(40);
  header.writeUInt16BE(((fields.version ?? 6) << 12) | ((fields.dscp ?? 0) << 6), 0);
  header.writeUInt16BE(fields.length ?? payload.length, 4);
  header[6] = fields.protocol ?? next ?? protocol.noNext;
  header[7] = fields.ttl ?? 64;
  addressBytes(fields.src).copy(header, 8);
  addressBytes(fields.dst).copy(header, 24);
  return header;
}

export class Packet {
  readonly #layers: Layer[];

  constructor(layers: Layer[]) {
    this.#layers = layers;
  }

  #with(type: number | undefined, bytes: Layer['bytes']): Packet {
    return new Packet([...this.#layers, { type, bytes }]);
  }

  vlan(id: number): Packet {
    return this.#with(etherType.vlan, (_, next) => words(id, next ?? experimental));
  }

  ipv4(fields: Ipv4Fields): Packet {
    return this.#with(etherType.ipv4, (payload, next) => ipv4Header(fields, payload, next));
  }

  ipv6(fields: Ipv6Fields): Packet {
    return this.#with(etherType.ipv6, (payload, next) => ipv6Header(fields, payload, next));
  }

  /** The family by the addresses. */
  ip(fields: { src: string; dst: string; ttl?: number; dscp?: number }): Packet {
    return fields.dst.includes(':') ? this.ipv6(fields) : this.ipv4(fields);
  }

  /** A hop-by-hop, routing or destination options header of 8 bytes and `more` times 8. */
  extension(kind: 'hopByHop' | 'routing' | 'destinationOptions', more = 0): Packet {
    return this.#with(protocol[kind], (_, next) => {
      const bytes = Buffer.alloc(8 + more * 8);
      bytes[0] = next ?? protocol.noNext;
      bytes[1] = more;
      return bytes;
    });
  }

  /** IPv6's fragment header; offset in bytes, a multiple of 8. */
  fragment({ offset = 0, more = false, id = 1 } = {}): Packet {
    const header = (next: number): Buffer =>
      Buffer.concat([words(next << 8, offset | (more ? 1 : 0)), words(id >>> 16, id)]);
    return this.#with(protocol.fragment, (_, next) => header(next ?? protocol.noNext));
  }

  /** flags: letters of FSRPAU. */
  tcp({ sport, dport, flags }: { sport: number; dport: number; flags: string }): Packet {
    const bits = [...flags].reduce((sum, letter) => sum | (tcpFlags[letter] ?? 0), 0);
    return this.#with(protocol.tcp, () =>
      words(sport, dport, 0, 1, 0, 1, (5 << 12) | bits, 0xffff, 0, 0),
    );
  }

  udp({ sport, dport }: { sport: number; dport: number }): Packet {
    return this.#with(protocol.udp, (payload) => words(sport, dport, 8 + payload.length, 0));
  }

  /** chunks: names or types, joined by "+"; '' = none. */
  sctp({ sport, dport, chunks }: { sport: number; dport: number; chunks: string }): Packet {
    const all = chunks.split('+').filter((name) => name !== '');
    return this.#with(protocol.sctp, () =>
      Buffer.concat([words(sport, dport, 0, 1, 0, 0), ...all.map(sctpChunk)]),
    );
  }

  /** ICMP of IPv4 by type and code; `id` is an echo's. */
  icmp({ type, code = 0, id = 0 }: { type: number; code?: number; id?: number }): Packet {
    return this.#with(protocol.icmp, () => words((type << 8) | code, 0, id, 1));
  }

  icmpv6({ type, code = 0, id = 0 }: { type: number; code?: number; id?: number }): Packet {
    return this.#with(protocol.icmpv6, () => words((type << 8) | code, 0, id, 1));
  }

  /** An ICMP message that both families have, by its name. */
  ping(family: 4 | 6, kind: keyof (typeof icmpKinds)[4], id = 0): Packet {
    const [type, code] = icmpKinds[family][kind];
    return family === 4 ? this.icmp({ type, code, id }) : this.icmpv6({ type, code, id });
  }

  /** Any other IP protocol, `length` bytes of it. */
  other(number: number, length = 8): Packet {
    return this.#with(number, () => Buffer.alloc(length, 0x5a));
  }

  /** Bytes, or that many of them. */
  payload(content: Buffer | number): Packet {
    const bytes = typeof content === 'number' ? Buffer.alloc(content, 0x5a) : content;
    return this.#with(undefined, () => bytes);
  }

  /** The packet that an ICMP error is about: without link header, cut as routers do. */
  quoting(packet: Packet): Packet {
    return this.payload(packet.bytes.subarray(14, 14 + 48));
  }

  get bytes(): Buffer {
    let payload: Buffer = Buffer.alloc(0);
    let next: number | undefined;
    for (const layer of this.#layers.toReversed()) {
      payload = Buffer.concat([layer.bytes(payload, next), payload]);
      next = layer.type;
    }
    return payload;
  }

  /** Bytes of the IP packet, as statistics count them. */
  get ipLength(): number {
    return this.bytes.length - 14;
  }
}

/** Begins with an Ethernet header, as every packet does that a test runs. */
export function packet({
  to = mac.loopback as string,
  from = mac.stranger as string,
  type = experimental,
} = {}): Packet {
  return new Packet([
    {
      type: undefined,
      bytes: (_, next) => Buffer.concat([macBytes(to), macBytes(from), words(next ?? type)]),
    },
  ]);
}
