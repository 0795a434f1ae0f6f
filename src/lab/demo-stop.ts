// Part 6: the listings of the state that the other parts left, and that `lvsj stop` leaves nothing.

import { existsSync, readdirSync, statSync } from 'node:fs';
import { tryRun } from '../util/run.ts';
import {
  countMarked,
  parseConnections,
  parseListing,
  programIds,
  withoutIptables,
} from './demo-parse.ts';
import { urlOf } from './demo-shares.ts';
import type { Stage } from './demo-stage.ts';
import { readCounter } from './demo-watch.ts';
import { diffNamespaceStates, type NamespaceState, namespaceState } from './namespace-state.ts';

const gatewayBits = 0xff000000;
const iptablesSave = '(iptables-save; ip6tables-save) | grep ^-A';
const conntrackList = 'conntrack -L; conntrack -L -f ipv6';

export async function showStop(stage: Stage, before: NamespaceState): Promise<void> {
  stage.part(6, 'The listings, and lvsj stop');
  await showListings(stage);
  const none = Object.fromEntries(stage.lab.isps.map(({ host }) => [host, 0]));
  const foreign = await readCounter(stage, 'foreign');
  stage.check('packets of the whole demo by a wrong link', foreign, none);
  const running = namespaceState(stage.lab.name, 'director');
  const programs = programIds(running);
  const changes = compare(before, running).length;
  stage.judge(
    'lines of the namespace that differ from those before the first lvsj',
    `${changes}`,
    changes > 0,
  );
  const admins = await stage.quietly('director', iptablesSave);
  await stage.on('director', 'lvsj stop');
  const after = namespaceState(stage.lab.name, 'director');
  showState(stage, before, after);
  await showRules(stage, admins);
  await showRemains(stage, programs);
  const seen = await stage.on('lan', `curl -s --interface 10.0.0.40 '${urlOf(4)}'`);
  stage.check('the LAN goes out by the main table', seen.trim(), stage.lab.isps[0]!.ipv4.address);
}

async function showRules(stage: Stage, before: string): Promise<void> {
  const after = await stage.quietly('director', iptablesSave);
  const text = `${after.split('\n').length - 1}, ${after === before ? 'as they were' : 'changed'}`;
  stage.judge("the admin's iptables rules", text, after === before);
}

/** What the director counts and what it lists are two things that must agree. */
async function showListings(stage: Stage): Promise<void> {
  let listing = await stage.on('director', 'lvsj ipvsadm -Ln');
  let connections = await stage.on('director', 'lvsj ipvsadm -Lnc', 12);
  const stats = await stage.on('director', 'lvsj ipvsadm -Ln --stats --exact');
  // A connection may have expired between the two: then they agree the next time.
  for (let more = 0; more < 3 && countOf(listing) !== lengthOf(connections); more++) {
    listing = await stage.quietly('director', 'lvsj ipvsadm -Ln');
    connections = await stage.quietly('director', 'lvsj ipvsadm -Lnc');
  }
  const what = 'connections in -Lnc, as many as -Ln counts';
  stage.check(what, lengthOf(connections), countOf(listing));
  for (const { family, words, gateways } of parseListing(stats)) {
    const sums = words.map((_, column) =>
      gateways.reduce((all, gateway) => all + Number(gateway.words[column]), 0),
    );
    stage.check(`IPv${family} --stats of the gateways together`, sums, words.map(Number));
  }
}

/** Active and inactive connections of all gateways. */
function countOf(listing: string): number {
  const gateways = parseListing(listing).flatMap((service) => service.gateways);
  return gateways.reduce((all, { words }) => all + Number(words[2]) + Number(words[3]), 0);
}

const lengthOf = (connections: string): number =>
  parseConnections(connections).filter(({ protocol }) => protocol !== 'IP').length;

const compare = (a: NamespaceState, b: NamespaceState): string[] =>
  diffNamespaceStates(withoutIptables(a), withoutIptables(b));

/** A figure for each command whose output was compared; those of tc filter, many, in one. */
function showState(stage: Stage, before: NamespaceState, after: NamespaceState): void {
  const differences = compare(before, after);
  const names = Object.keys(before).map((name) => name.replace(/ show dev .*/, ''));
  for (const name of new Set(names)) {
    const lines = differences.filter((line) => line.startsWith(name));
    stage.check(`lines of "${name}" that differ`, lines, []);
  }
}

/** What none of those commands shows. */
async function showRemains(stage: Stage, programs: number[]): Promise<void> {
  const left = (): number[] =>
    programs.filter((id) => tryRun(['bpftool', 'prog', 'show', 'id', String(id)]).status === 0);
  // The kernel frees them after a grace period.
  await stage.until('end of the BPF programs', () => left().length === 0).catch(() => {});
  stage.judge('BPF programs left', `${left().length} of ${programs.length}`, left().length === 0);
  const bpffs = '/sys/fs/bpf';
  const pins = `lvsj-${statSync(`/run/netns/lvsj-${stage.lab.name}-director`).ino}-`;
  const pinned = existsSync(bpffs) ? readdirSync(bpffs) : [];
  stage.check(
    'pins left',
    pinned.filter((name) => name.startsWith(pins)),
    [],
  );
  const marked = countMarked(await stage.quietly('director', conntrackList), gatewayBits);
  stage.check('conntrack entries with a gateway in their mark', marked, 0);
}
