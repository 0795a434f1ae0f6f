// A director whose own connections are looked at: by a service, or bound to a link or an address.

import type { Counts } from '../../src/lab/client-connect.ts';
import type { Download } from '../../src/lab/client-download.ts';
import { clientProgram } from '../../src/lab/lab.ts';
import { type ConfigObjects, noConfigObjects } from '../../src/model/objects.ts';
import type { StatusState } from '../../src/model/state.ts';
import type { Family } from '../../src/model/table.ts';
import {
  DirectorLab,
  families,
  gatewayOf,
  type Running,
  seen,
  serverAddress,
  urlHost,
} from './director-lab.ts';

/** The router's addresses in the LAN: its shared connections start with them. */
export const own = { 4: '10.0.0.1', 6: '2001:db8:10::1' } as const;
/** A socket that is bound to nothing. */
const anywhere = { 4: ['0.0.0.0'], 6: ['::'] };

const isps = ['isp1', 'isp2'] as const;
const linkOf = { isp1: 'eth1', isp2: 'eth2' } as const;

export class OwnLab extends DirectorLab {
  override async up(): Promise<void> {
    await super.up();
    // A server that still waits on a port of another client's refuses the first SYN from there, and
    // with one address for hundreds of connections that is not rare.
    this.run('internet', ['sysctl', '-qw', 'net.ipv4.tcp_max_tw_buckets=0']);
  }

  /** What a configuration adds, of which the router's own part is `extra`. */
  apply(extra: Partial<ConfigObjects>): void {
    const { gateways } = JSON.parse(this.lvsj('status --json')) as StatusState;
    const idOf = (family: Family, isp: (typeof isps)[number]): number =>
      gateways.find(({ address }) => address === gatewayOf[family][isp])?.id ?? 0;
    const each = families.flatMap((family) =>
      isps.map((isp) => ({ family, isp, id: idOf(family, isp) })),
    );
    const objects: ConfigObjects = {
      ...noConfigObjects,
      outside: Object.values(linkOf),
      policies: each.map(({ family, isp, id }) => ({
        id,
        family,
        link: linkOf[isp],
        snat: { kind: 'address', address: seen[family][isp] },
        onlink: false,
      })),
      bound: each.map(({ family, isp, id }) => ({
        family,
        link: linkOf[isp],
        addresses: [seen[family][isp]],
        id,
      })),
      ...extra,
    };
    const program = [process.execPath, `${import.meta.dirname}/apply-objects.ts`];
    this.run('director', [...program, JSON.stringify(objects)]);
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
    const argv = [
      ...clientProgram,
      'download',
      '--url',
      url,
      '--from',
      anywhere[family][0] as string,
    ];
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

  /** The links by which a host's own packets to the internet would leave: what `ip route get` says. */
  route(words: string): string {
    return this.run('director', ['ip', 'route', 'get', ...words.split(' ')]);
  }
}
