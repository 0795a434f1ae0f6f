// Watches over what the fast path passes by. Packets may take it only while this says so, again and again;
// whatever changes of links, routes and rules has every connection learnt anew, by the stack as it is then.

import * as abi from '../kernel/abi.gen.ts';
import { Director } from '../kernel/director.ts';
import { makeRoom, placesPerConnection, readGuard, setGuard } from '../kernel/fastpath.ts';
import { lanLinks } from '../kernel/link.ts';
import { NftGeneration } from '../kernel/nft-generation.ts';
import type { Applied } from '../model/applied.ts';
import type { Environment } from '../model/environment.ts';
import type { NeedyRule } from '../model/state.ts';
import { NeedyRules, type NeedyRulesOptions } from './needy-rules.ts';

/** Changes of rules are looked for so often; they shall be in force after 100 ms. */
const tickMs = 40;
/** A daemon that was killed, or hangs, is not followed for longer. */
const leaseNs = 1_000_000_000n;
/** While it applies a configuration, which takes seconds where there are thousands of rules. */
const longLeaseNs = 5_000_000_000n;

/** conntrack is asked for all connections together no more often a second: it costs more than the packet. */
const checksPerSecond = 100_000;
const [leastCheckMs, mostCheckMs] = [100, 10_000];

/** So often a connection's entries are looked at, which keeps ours alive: well within its timeout. */
function checkInterval({ settings }: Director, entries: number): bigint {
  const { CONN_ESTABLISHED, CONN_ANSWERED } = abi.connState;
  const timeouts = [CONN_ESTABLISHED, CONN_ANSWERED].map((state) => settings.timeoutS[state] ?? 0);
  const wanted = Math.min(mostCheckMs, (entries / checksPerSecond) * 1000);
  const ms = Math.min((Math.min(...timeouts) * 1000) / 4, Math.max(leastCheckMs, wanted));
  return BigInt(Math.round(ms * 1_000_000));
}

export class FastPath {
  readonly #rules = new NftGeneration();
  readonly #needy: NeedyRules;
  /** Held open, for it is asked often. */
  #director: Director | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Places of the director's tables, as far as is known. */
  #room = 0;
  #epoch = 0;
  #generation = 0;
  /** Since the last tick something changed that is not in the rules' generation. */
  #changed = false;

  constructor(options: NeedyRulesOptions) {
    this.#needy = new NeedyRules(options);
  }

  /** For which services that do not insist keep off it. */
  get needyRules(): NeedyRule[] {
    return this.#timer ? this.#needy.rules : [];
  }

  /** After each apply. */
  update({ config, objects }: Applied, { links }: Environment): void {
    this.#director?.close();
    this.#director = Director.find();
    this.#room = 0;
    if (!this.#director || !objects.fastpath) {
      this.#stop();
      return;
    }
    const uplinks = config.gateways.map(({ link }) => link);
    const lan = lanLinks(links, uplinks, objects.lan).map(({ name }) => name);
    this.#needy.setLinks([...lan, ...uplinks]);
    if (this.#timer) return;
    this.#epoch = readGuard(this.#director).epoch;
    this.#changed = true;
    this.#needy.look();
    this.#timer = setInterval(() => this.#tick(), tickMs);
    this.#tick();
  }

  /** Links, addresses, routes or policy rules are not what they were. */
  changed(): void {
    this.#changed = true;
  }

  /** A change of our own table, in one transaction: the rules of others need not be read for it. */
  whileOurs<T>(change: () => T): T {
    const before = this.#rules.read();
    const result = change();
    if (before === this.#generation && this.#rules.read() === before + 1) {
      this.#generation = before + 1;
      this.#changed = true;
    }
    return result;
  }

  /** Nobody ticks for some time. */
  hold(): void {
    if (this.#timer) this.#guard(process.hrtime.bigint() + longLeaseNs);
  }

  close(): void {
    this.#stop();
    this.#director?.close();
    this.#director = undefined;
    this.#rules.close();
  }

  #tick(): void {
    const generation = this.#rules.read();
    const rulesChanged = generation !== this.#generation;
    if (rulesChanged) this.#needy.look();
    if (this.#changed || rulesChanged) this.#epoch = (this.#epoch + 1) % 2 ** 32;
    this.#generation = generation;
    this.#changed = false;
    this.#guard(process.hrtime.bigint() + leaseNs);
  }

  #guard(untilNs: bigint): void {
    if (!this.#director) return;
    const { entries = 0 } = this.#director.maps.tableCounts.get(0) ?? {};
    if (entries * placesPerConnection > this.#room) this.#room = makeRoom(this.#director, entries);
    const careful = this.#needy.careful ? 1 : 0;
    const checkNs = checkInterval(this.#director, entries);
    setGuard(this.#director, { untilNs, checkNs, epoch: this.#epoch, careful });
  }

  #stop(): void {
    if (!this.#timer) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#guard(0n);
  }
}
