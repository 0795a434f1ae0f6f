// A lab whose director is driven by tests: commands on its hosts, connections of its clients, and a
// count of the packets that took a wrong link. Needs root.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import type { Counts } from '../../src/lab/client-connect.ts';
import type { Download } from '../../src/lab/client-download.ts';
import { clientProgram, inHost, labDown, labUp } from '../../src/lab/lab.ts';
import { internet, type Lab, type LabOptions, planLab } from '../../src/lab/topology.ts';
import type { Family } from '../../src/model/table.ts';
import { type RunResult, run, tryRun } from '../../src/util/run.ts';

const root = `${import.meta.dirname}/../..`;
export const lvsjProgram = `${root}/lvsj`;

/** Addresses of the director as the internet sees it: isp1 and isp2, by family. */
export const seen = {
  4: { isp1: '192.0.2.2', isp2: '203.0.113.2' },
  6: { isp1: '2001:db8:1::2', isp2: '2001:db8:2::2' },
} as const;

/** The gateways themselves. */
export const gatewayOf = {
  4: { isp1: '192.0.2.1', isp2: '203.0.113.1' },
  6: { isp1: '2001:db8:1::1', isp2: '2001:db8:2::1' },
} as const;

/** The internet host as a URL has it. */
export const urlHost = { 4: internet.ipv4[0], 6: `[${internet.ipv6[0]}]` } as const;
export const serverAddress = { 4: internet.ipv4[0], 6: internet.ipv6[0] } as const;
export const families = [4, 6] as const satisfies Family[];

/** Two gateways of weights 3 and 1, as in the recipe, for both families. */
export const recipeTable = `
  -A -f 1 -s wrr
  -a -f 1 -r 192.0.2.1 -j -w 3
  -a -f 1 -r 203.0.113.1 -j -w 1
  -A -f 1 -6 -s wrr
  -a -f 1 -6 -r [2001:db8:1::1]:0 -j -w 3
  -a -f 1 -6 -r [2001:db8:2::1]:0 -j -w 1`;

/** Marks each new connection of the LAN, as in the recipe. */
export const markNew = `
  iptables -t mangle -A PREROUTING -s 10.0.0.0/24 -m state --state NEW -j MARK --set-mark 1
  ip6tables -t mangle -A PREROUTING -s 2001:db8:10::/64 -m state --state NEW -j MARK --set-mark 1`;

/** Marks every packet that comes from the LAN. */
export const markAll = `
  iptables -t mangle -A PREROUTING -s 10.0.0.0/24 -j MARK --set-mark 1
  ip6tables -t mangle -A PREROUTING -s 2001:db8:10::/64 -j MARK --set-mark 1`;

/** The source address of each link, whatever the mark: unmarked traffic needs one too. */
export const snatAll = `
  iptables -t nat -A POSTROUTING -o eth1 -j SNAT --to-source 192.0.2.2
  iptables -t nat -A POSTROUTING -o eth2 -j SNAT --to-source 203.0.113.2
  ip6tables -t nat -A POSTROUTING -o eth1 -j SNAT --to-source 2001:db8:1::2
  ip6tables -t nat -A POSTROUTING -o eth2 -j SNAT --to-source 2001:db8:2::2`;

export interface Running<T> {
  /** It said its first words: of a download, that bytes come. */
  started: Promise<unknown>;
  result: Promise<T>;
  /** Ends the program early. */
  kill(): void;
}

export interface ClientOptions {
  count?: number;
  sockets?: number;
  parallel?: number;
  from?: string[];
  /** Where the client runs, and what it connects to: the LAN and the internet host if not said. */
  host?: string;
  to?: string;
  port?: number;
  timeout?: number;
}

export class DirectorLab {
  readonly lab: Lab;
  #nextPort = 10_000;
  readonly name: string;

  /** suffix: tells this lab from the other ones of this process. */
  constructor(suffix: string, isps = 2, access: Pick<LabOptions, 'dhcp' | 'ppp'> = {}) {
    this.name = `t${process.pid}-${suffix}`;
    this.lab = planLab({ name: this.name, isps, ...access });
  }

  async up(): Promise<void> {
    await labUp(this.lab);
    for (const { host, ipv4, ipv6, delegated } of this.lab.isps)
      this.run(host, ['nft', '-f', '-'], strayTable(ipv4.prefix, `${ipv6.prefix}, ${delegated}`));
  }

  async down(): Promise<void> {
    await labDown(this.name);
  }

  /** Runs a program on a host; what it prints. */
  run(host: string, argv: string[], input = ''): string {
    return run(inHost(this.name, host, argv), { input });
  }

  tryRun(host: string, argv: string[], input = ''): RunResult {
    return tryRun(inHost(this.name, host, argv), { input });
  }

  /** Runs lines of shell on a host, in which `lvsj` is this checkout's; fails with the first that fails. */
  script(host: string, lines: string): string {
    return this.run(host, ['sh', '-ec', `PATH=${root}:$PATH\n${lines}`]);
  }

  director(lines: string): string {
    return this.script('director', lines);
  }

  /** One lvsj command line in the director's namespace, whatever comes of it. */
  tryLvsj(words: string, input = ''): RunResult {
    return this.tryRun('director', [lvsjProgram, ...words.split(' ')], input);
  }

  /** The same for a command that must work; what it prints. */
  lvsj(words: string, input = ''): string {
    const { status, stdout, stderr } = this.tryLvsj(words, input);
    assert.deepEqual({ words, status, stderr }, { words, status: 0, stderr: '' });
    return stdout;
  }

  /** Makes the director hold exactly this table, in the words of ipvsadm -R. */
  restore(table: string): void {
    const lines = table.split('\n').map((line) => line.trim());
    this.lvsj('ipvsadm -C');
    this.lvsj('ipvsadm -R', `${lines.filter((line) => line !== '').join('\n')}\n`);
  }

  /** The admin's rules go: marks, SNAT and what nft tables there are beside ours. */
  clearAdmin(): void {
    const tables = this.director('nft list tables').split('\n');
    const theirs = tables.filter((line) => line !== '' && line !== 'table inet lvsj');
    this.run('director', ['nft', '-f', '-'], theirs.map((line) => `delete ${line}\n`).join(''));
  }

  /** Addresses that the server saw, of separate HTTP connections. */
  connect(family: Family, options: ClientOptions = {}): Counts {
    return this.#count(this.#connectArgv(family, options), options);
  }

  /** The same, while the test goes on. */
  startConnect(family: Family, options: ClientOptions = {}): Running<Counts> {
    return printedJson(this.start(options.host ?? 'lan', this.#connectArgv(family, options)));
  }

  #connectArgv(family: Family, options: ClientOptions): string[] {
    const url = `http://${options.to ?? urlHost[family]}/`;
    return this.#clientArgv(['connect', '--url', url], family, options);
  }

  /** Addresses that the server saw, of datagrams. */
  udp(family: Family, options: ClientOptions = {}): Counts {
    // Never a port again: a datagram from one would belong to the connection that had it.
    const to = options.to ?? serverAddress[family];
    const words = ['udp', '--to', to, '--first-port', String(this.#nextPort)];
    this.#nextPort += options.sockets ?? 1;
    return this.#count(this.#clientArgv(words, family, options), options);
  }

  /** What the client counted; why something failed stands in the place of `failed`. */
  #count(argv: string[], { host = 'lan' }: ClientOptions): Counts {
    const { stdout, stderr } = this.tryRun(host, argv);
    const counts = JSON.parse(stdout || '{}') as Counts;
    if (stderr !== '') counts[stderr.trim()] = counts.failed ?? 0;
    return counts;
  }

  #clientArgv(words: string[], family: Family, options: ClientOptions): string[] {
    const from = options.from ?? this.clients(family).slice(0, 4);
    const argv = [...clientProgram, ...words, ...from.flatMap((address) => ['--from', address])];
    for (const name of ['count', 'sockets', 'parallel', 'port', 'timeout'] as const)
      if (options[name] !== undefined) argv.push(`--${name}`, String(options[name]));
    return argv;
  }

  /**
   * The address that the server sees of a datagram from this port: with the same port again, it is
   * another packet of the same connection. Nothing if there is no answer.
   */
  udpFrom(family: Family, port: number, bytes = 4): string {
    const wait = 'setTimeout(() => process.exit(1), 2000).unref();';
    return this.#datagram(family, { port, bytes }, wait);
  }

  /** A datagram to a port of the internet host, whose answer nobody waits for. */
  udpUnheard(family: Family, port: number, to: number): void {
    this.#datagram(family, { port, bytes: 4, to }, 'socket.close();');
  }

  #datagram(
    family: Family,
    { port, bytes, to = 7 }: { port: number; bytes: number; to?: number },
    afterwards: string,
  ): string {
    const from = this.clients(family)[0];
    const script = `const socket = require('node:dgram').createSocket('udp${family}');
      socket.on('message', (message) => {
        process.stdout.write(String(message).split(' ')[0]);
        socket.close();
      });
      socket.bind(${port}, '${from}', () =>
        socket.send(Buffer.alloc(${bytes}), ${to}, '${serverAddress[family]}', () => { ${afterwards} }));`;
    return this.tryRun('lan', [process.execPath, '-e', script]).stdout;
  }

  clients(family: Family): string[] {
    return this.lab.clients[family === 4 ? 'ipv4' : 'ipv6'];
  }

  /** A download of so many bytes at so many a second, which goes on while the test does. */
  download(family: Family, bytes: number, rate: number): Running<Download> {
    const url = `http://${urlHost[family]}/bytes?n=${bytes}&rate=${rate}`;
    const from = this.clients(family)[0] as string;
    const argv = [...clientProgram, 'download', '--url', url, '--from', from];
    return printedJson(this.start('lan', argv));
  }

  /** The number of a host's network namespace. */
  inode(host: string): number {
    return statSync(`/run/netns/lvsj-${this.name}-${host}`).ino;
  }

  /** Starts a program on a host; the result is what it prints until its end. */
  start(host: string, argv: string[]): Running<string> {
    const [command, ...args] = inHost(this.name, host, argv);
    const child = spawn(command as string, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    return {
      started: Promise.race([once(child.stderr, 'data'), once(child.stdout, 'data')]),
      result: text(child.stdout),
      kill: () => child.kill(),
    };
  }

  /** Packets that came to each ISP with an address that it did not give. */
  strays(): Record<string, number> {
    return Object.fromEntries(
      this.lab.isps.map(({ host }) => {
        const listing = this.run(host, ['nft', 'list', 'counters', 'table', 'inet', 'watch']);
        return [host, Number(/packets (\d+)/.exec(listing)?.[1])];
      }),
    );
  }

  resetStrays(): void {
    for (const { host } of this.lab.isps)
      this.run(host, ['nft', 'reset', 'counters', 'table', 'inet', 'watch']);
  }

  /** No packet of any connection took a link on which its address is a stranger, since last asked. */
  assertNoStrays(): void {
    const strays = this.strays();
    this.resetStrays();
    const none = Object.fromEntries(this.lab.isps.map(({ host }) => [host, 0]));
    assert.deepEqual(strays, none, 'packets on a wrong link');
  }

  /** The connection table as `TCP 10.0.0.11:1024 198.51.100.10:80 192.0.2.1:80`; templates are `IP`. */
  connections(): string[] {
    const lines = this.lvsj('ipvsadm -Lnc').trimEnd().split('\n').slice(2);
    return lines.map((line) => {
      const [protocol, , , client, server, gateway] = line.split(/\s+/);
      return [protocol, client, server, gateway].join(' ');
    });
  }

  /** The entries that are there after `work` and were not before. */
  newConnections(work: () => void): string[] {
    const before = new Set(this.connections());
    work();
    return this.connections().filter((connection) => !before.has(connection));
  }
}

function printedJson<T>(running: Running<string>): Running<T> {
  return { ...running, result: running.result.then((printed) => JSON.parse(printed) as T) };
}

/** What the ISP's own rules (BCP 38) refuse, counted: one packet too many would else pass unseen. */
function strayTable(prefix4: string, prefix6: string): string {
  return `table inet watch {
    counter strays {
    }
    chain prerouting {
      type filter hook prerouting priority raw;
      iifname eth0 ip saddr != ${prefix4} counter name strays
      iifname eth0 ip6 saddr != { ${prefix6}, fe80::/10, :: } counter name strays
    }
  }\n`;
}
