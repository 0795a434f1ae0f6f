// What shares a lab's connections out over two ISPs, and what it is compared with.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { directoryOf, inHost } from '../../src/lab/place.ts';
import type { Isp, Lab } from '../../src/lab/topology.ts';
import { run } from '../../src/util/run.ts';
import { waitUntil } from '../../src/util/wait-until.ts';

/** It runs in a lab. */
export interface Contender {
  /** When it first said since that moment that this ISP takes no connection; only where it says so. */
  downAt?(isp: Isp, since: number): number | undefined;
  /** Until new connections go to this ISP, too. */
  up(isp: Isp): Promise<void>;
  /** What it said last, for who wonders why nothing works. */
  told?(): string;
  end(): Promise<void>;
}

const masquerade = 'iptables -t nat -A POSTROUTING ! -o eth0 -j MASQUERADE';

function director(lab: Lab, script: string): string {
  return run(inHost(lab.name, 'director', ['sh', '-ec', script]));
}

/** What has the kernel's route leave out next hops whose link or neighbour it knows to be dead; off by default. */
const tuning = `sysctl -qw net.ipv4.fib_multipath_use_neigh=1
    for link in all eth1 eth2; do sysctl -qw net.ipv4.conf.$link.ignore_routes_with_linkdown=1; done`;

/** The kernel alone: one default route with a next hop for each ISP. */
export function startMultipath(lab: Lab, tuned: boolean): Contender {
  const hops = lab.isps.map(({ ipv4, link }) => `nexthop via ${ipv4.gateway} dev ${link} weight 1`);
  director(
    lab,
    `${masquerade}
    for link in all eth1 eth2; do sysctl -qw net.ipv4.conf.$link.rp_filter=0; done
    ${tuned ? tuning : ''}
    ip route replace default ${hops.join(' ')}`,
  );
  return { up: async () => {}, end: async () => {} };
}

/** A program on the director whose lines are kept in a file. */
export class Logged {
  readonly file: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;

  constructor(lab: Lab, argv: string[]) {
    this.file = `${directoryOf(lab.name)}/contender.log`;
    const log = openSync(this.file, 'a');
    const [command, ...args] = inHost(lab.name, 'director', argv);
    this.#child = spawn(command as string, args, { stdio: ['ignore', log, log] });
    closeSync(log);
    this.#ended = once(this.#child, 'exit');
  }

  read(): string {
    return readFileSync(this.file, 'utf8');
  }

  /** Waits for something that it does; its words if it does not. */
  async until(what: string, condition: () => boolean, deadlineMs: number): Promise<void> {
    const { exitCode, signalCode } = this.#child;
    const ended = () => exitCode !== null || signalCode !== null;
    await waitUntil(what, () => condition() || ended(), deadlineMs).catch((error: Error) => {
      throw new Error(`${error.message}\n${this.read()}`);
    });
    if (!condition()) throw new Error(`it ended: ${this.read()}`);
  }

  async end(): Promise<void> {
    this.#child.kill();
    await this.#ended;
  }
}

/** Four rounds of five seconds, and the pings of a machine that is busy. */
const scriptUpMs = 40_000;

/** Marks, policy rules and pings: watchdog.sh. */
export async function startScript(lab: Lab): Promise<Contender> {
  const path = fileURLToPath(new URL('watchdog.sh', import.meta.url));
  const links = lab.isps.map(({ link, ipv4 }) => `${link},${ipv4.address},${ipv4.gateway}`);
  const script = new Logged(lab, ['bash', path, ...links]);
  await script.until('the start of the script', () => script.read().includes('ready'), 10_000);
  const state = (link: string) =>
    script
      .read()
      .match(new RegExp(`^${link} \\w+$`, 'gm'))
      ?.at(-1);
  return {
    up: ({ link }) => script.until(`${link} up`, () => state(link) !== `${link} down`, scriptUpMs),
    end: () => script.end(),
  };
}
