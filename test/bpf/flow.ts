// One connection's packets, both ways, as the LAN sees them.

import { type Packet, packet, protocol } from './packet.ts';

export type FlowProtocol = 'tcp' | 'udp' | 'sctp' | 'icmp' | 'gre';

export interface FlowOptions {
  client?: string;
  /** ICMP: the echo's identifier; GRE has none. */
  port?: number;
  server?: string;
  serverPort?: number;
  protocol?: FlowProtocol;
}

export const client4 = '10.0.0.2';
export const server4 = '203.0.113.9';
export const client6 = 'fd00::2';
export const server6 = '2001:db8:ff::9';

export class Flow {
  readonly client: string;
  readonly port: number;
  readonly server: string;
  readonly serverPort: number;
  readonly protocol: FlowProtocol;

  constructor(options: FlowOptions = {}) {
    this.protocol = options.protocol ?? 'tcp';
    this.client = options.client ?? client4;
    this.port = options.port ?? 4000;
    this.server = options.server ?? (this.family === 4 ? server4 : server6);
    this.serverPort = options.serverPort ?? 80;
  }

  get family(): 4 | 6 {
    return this.client.includes(':') ? 6 : 4;
  }

  /** From the client; flags are TCP's, or the chunks of SCTP. */
  up(flags = this.protocol === 'sctp' ? 'INIT' : 'S'): Packet {
    const ip = packet().ip({ src: this.client, dst: this.server });
    const ports = { sport: this.port, dport: this.serverPort };
    if (this.protocol === 'udp') return ip.udp(ports);
    if (this.protocol === 'sctp') return ip.sctp({ ...ports, chunks: flags });
    if (this.protocol === 'gre') return ip.other(protocol.gre);
    if (this.protocol === 'icmp') return ip.ping(this.family, 'request', this.port);
    return ip.tcp({ ...ports, flags });
  }

  /** From the server. */
  down(flags = this.protocol === 'sctp' ? 'INIT-ACK' : 'SA'): Packet {
    const ip = packet().ip({ src: this.server, dst: this.client });
    const ports = { sport: this.serverPort, dport: this.port };
    if (this.protocol === 'udp') return ip.udp(ports);
    if (this.protocol === 'sctp') return ip.sctp({ ...ports, chunks: flags });
    if (this.protocol === 'gre') return ip.other(protocol.gre);
    if (this.protocol === 'icmp') return ip.ping(this.family, 'reply', this.port);
    return ip.tcp({ ...ports, flags });
  }
}

/** `count` TCP connections that differ in the client's port. */
export const flows = (count: number, options: FlowOptions = {}): Flow[] =>
  Array.from({ length: count }, (_, i) => new Flow({ ...options, port: 5000 + i }));
