// A lab whose lines fail and come back under lvsj run: waits for what the daemon finds, and has clients
// that tell what they notice of it.

import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Counts } from '../../src/lab/client-connect.ts';
import type { Answer } from '../../src/lab/client-datagrams.ts';
import { type Fault, type FaultSpec, setFault } from '../../src/lab/fault.ts';
import { clientProgram, inHost } from '../../src/lab/lab.ts';
import type { Health } from '../../src/model/health.ts';
import type { Family } from '../../src/model/table.ts';
import { waitUntil } from '../../src/util/wait-until.ts';
import { ConfigLab } from './config-lab.ts';
import { Daemon } from './daemon.ts';
import { families, serverAddress, urlHost } from './director-lab.ts';

/** A busy machine is slow; the benchmark measures times. */
export const deadlineMs = 20_000;

/** What a monitor has in these labs if it isn't told otherwise. */
export const pace = 'interval: 200ms, timeout: 200ms, rise: 2, fall: 2';
const hold = 'hold: { first: 100ms, most: 1s }';
export const monitor = `monitor: { probes: [{ ping: ${serverAddress[4]} }, { ping: "${serverAddress[6]}" }], ${pace}, ${hold} }`;

/** A gateway came to another health, as the daemon's log has it. */
export interface Found {
  name: string;
  family: Family;
  to: Health;
  reason: string;
  incident: string;
  /** ms since the epoch. */
  at: number;
}

/** Datagrams of one socket, which never falls silent. */
export interface Call {
  answers: Answer[];
  /** Waits until answers come to this address. */
  under(address: string): Promise<void>;
}

export class FailoverLab extends ConfigLab {
  readonly daemon = new Daemon(this);
  readonly #children: ChildProcess[] = [];
  #faults: { number: number; fault: Fault }[] = [];

  override async down(): Promise<void> {
    for (const child of this.#children) child.kill();
    await this.daemon.end();
    await super.down();
  }

  found(name: string): Found[] {
    const lines = this.daemon.log() as unknown as Record<string, string>[];
    return lines.flatMap((line) => {
      const [, to, reason = ''] =
        /^gateway (up|suspect|down|recovering)(?:: (.*))?$/.exec(line.msg!) ?? [];
      if (line.name !== name || to === undefined) return [];
      const { incident = '', time = '' } = line;
      const at = Date.parse(time);
      return [
        { name, family: Number(line.family) as Family, to: to as Health, reason, incident, at },
      ];
    });
  }

  /** Waits until it is found so in these families. */
  async until(name: string, health: Health, of: readonly Family[] = families): Promise<void> {
    const last = (family: Family) =>
      this.found(name).findLast((each) => each.family === family)?.to;
    const isSo = () => of.every((family) => (last(family) ?? 'up') === health);
    await this.daemon.until(`${name}: ${health}`, isSo, deadlineMs);
  }

  /** The n-th ISP, from 1. */
  async setFault(number: number, spec: FaultSpec): Promise<void> {
    this.#faults.push({
      number,
      fault: await setFault(this.lab, this.lab.isps[number - 1]!, spec),
    });
  }

  /** What was set on the n-th ISP, or on all. */
  async heal(only?: number): Promise<void> {
    const healed = this.#faults.filter(({ number }) => only === undefined || number === only);
    for (const { fault } of healed) await fault.heal();
    this.#faults = this.#faults.filter((each) => !healed.includes(each));
  }

  async startCall(family: Family, from: string, port = 7): Promise<Call> {
    const words = `datagrams --to ${serverAddress[family]} --port ${port} --from ${from} --rate 50`;
    const [command, ...args] = inHost(this.name, 'lan', [...clientProgram, ...words.split(' ')]);
    const child = spawn(command as string, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#children.push(child);
    const answers: Answer[] = [];
    createInterface({ input: child.stdout }).on('line', (line) => answers.push(JSON.parse(line)));
    const under = (address: string) =>
      waitUntil(`answers to ${address}`, () => answers.at(-1)?.seen === address, deadlineMs);
    return { answers, under };
  }

  /** What each client's connections were seen as. */
  byClient(from: string[], count: number, to: string = urlHost[4]): Record<string, Counts> {
    const words = `connect --url http://${to}/ --by-client --count ${count} --parallel ${from.length}`;
    const argv = [...clientProgram, ...words.split(' ')];
    return JSON.parse(this.run('lan', [...argv, ...from.flatMap((each) => ['--from', each])]));
  }

  /** The director's conntrack entries of these ports, by what is so of them. */
  tracked(isWanted: (line: string) => boolean): string[] {
    const lines = families.flatMap((family) =>
      this.director(`conntrack -L -o id -f ipv${family} 2>/dev/null`).split('\n'),
    );
    return lines
      .filter((line) => line !== '' && isWanted(line))
      .map((line) => / id=(\d+)/.exec(line)![1]!);
  }
}
