// A director whose own connections are looked at: shared out by a service, or bound to a link or an address.

import { writeFileSync } from 'node:fs';
import type { Counts } from '../../src/lab/client-connect.ts';
import type { Download } from '../../src/lab/client-download.ts';
import { clientProgram } from '../../src/lab/lab.ts';
import type { Family } from '../../src/model/table.ts';
import { DirectorLab, type Running, serverAddress, urlHost } from './director-lab.ts';

/** The router's addresses in the LAN: its shared connections start with them. */
export const own = { 4: '10.0.0.1', 6: '2001:db8:10::1' } as const;
/** A socket that is bound to nothing. */
const anywhere = { 4: ['0.0.0.0'], 6: ['::'] };

/** As recipeTable, with another service that has one gateway. */
const config = `
gateways:
  fiber: { link: eth1, via: { ipv4: 192.0.2.1, ipv6: "2001:db8:1::1" } }
  lte: { link: eth2, via: { ipv4: 203.0.113.1, ipv6: "2001:db8:2::1" } }
services:
  web: { fwmark: 1, scheduler: wrr, gateways: { fiber: 3, lte: 1 } }
  spare: { fwmark: 2, scheduler: wrr, gateways: { lte: 1 } }
rules:
  - { from: 10.0.0.99, service: spare }
  - { from: [10.0.0.0/24, "2001:db8:10::/64"], service: web }
`;

export class OwnLab extends DirectorLab {
  override async up(): Promise<void> {
    await super.up();
    // A server that still waits on a port of another client's refuses the first SYN from there, and
    // with one address for hundreds of connections that is not rare.
    this.run('internet', ['sysctl', '-qw', 'net.ipv4.tcp_max_tw_buckets=0']);
  }

  /** Applies the configuration; router: the service for the router's own connections. */
  apply(router: 'web' | 'main'): void {
    // In the lab's own folder, which goes with it.
    const file = `/run/lvsj/lab-${this.name}/lvsj.yaml`;
    writeFileSync(file, `router: ${router}\n${config}`);
    this.lvsj(`apply ${file} --json`);
  }

  /** Connections of the router's own, by the address that the server saw. */
  ownConnect(family: Family, count: number, from: string[] = anywhere[family]): Counts {
    return this.connect(family, { host: 'director', from, count });
  }

  ownUdp(family: Family, count: number, from: string[] = anywhere[family]): Counts {
    return this.udp(family, { host: 'director', from, count, sockets: count / 5 });
  }

  ownDownload(family: Family, bytes: number, rate: number): Running<Download> {
    const url = `http://${urlHost[family]}/bytes?n=${bytes}&rate=${rate}`;
    const from = anywhere[family][0] as string;
    const argv = [...clientProgram, 'download', '--url', url, '--from', from];
    const running = this.start('director', argv);
    // A killed one says nothing.
    const parse = (printed: string) => JSON.parse(printed || '{}') as Download;
    return { ...running, result: running.result.then(parse) };
  }

  /** A question and its answer by a socket that is neither bound nor connected, as resolvers do it. */
  ask(family: Family): string {
    const script = `const socket = require('node:dgram').createSocket('udp${family}');
      socket.on('message', (message) => { process.stdout.write(String(message).split(' ')[0]); socket.close(); });
      socket.send('question', 7, '${serverAddress[family]}');
      setTimeout(() => process.exit(1), 2000).unref();`;
    return this.tryRun('director', [process.execPath, '-e', script]).stdout;
  }

  /** Three echo requests, all answered; more words for ping. */
  ping(host: string, to: string, words: string[] = []): string {
    return this.run(host, ['ping', '-c', '3', '-i', '0.01', '-W', '2', ...words, to]);
  }

  /** How the router's own packets would go: what `ip route get` says. */
  route(words: string): string {
    return this.run('director', ['ip', 'route', 'get', ...words.split(' ')]);
  }
}
