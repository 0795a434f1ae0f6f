// Programs on a link's clsact hooks, by libbpf. Ours have a priority and handle of their own;
// filters of others on the same hooks run as before, after ours.

import type { FilterFact } from '../model/facts.ts';
import { run, tryRun } from '../util/run.ts';
import * as libbpf from './libbpf.ts';
import type { DirectorMaps } from './maps.ts';
import { readMemory, remember } from './memory.ts';

export type TcHookName = 'ingress' | 'egress';

const attachPoint = { ingress: 1, egress: 2 } as const;
/** "lv" in ASCII: unlikely to be anyone else's. */
const priority = 0x6c76;
const defaultHandle = 1;

/** The two sides of a director: which programs a link has. */
export const sides = ['lan', 'uplink'] as const;
export type Side = (typeof sides)[number];

export const linkHandle: Record<Side, number> = { lan: defaultHandle, uplink: 2 };

const EEXIST = -17;
const BPF_TC_F_REPLACE = 1;

const hookOf = (ifindex: number, hook: TcHookName): libbpf.TcHook => ({
  sz: libbpf.structSize.tcHook,
  ifindex,
  attach_point: attachPoint[hook],
  parent: 0,
});

const optsOf = (handle = defaultHandle): libbpf.TcOpts => ({
  sz: libbpf.structSize.tcOpts,
  prog_fd: 0,
  flags: 0,
  prog_id: 0,
  handle,
  priority,
});

/** The id of our program there, or undefined. */
export function tcQuery(
  ifindex: number,
  hook: TcHookName,
  handle = defaultHandle,
): number | undefined {
  const opts = optsOf(handle);
  return libbpf.tcQuery(hookOf(ifindex, hook), opts) === 0 ? opts.prog_id : undefined;
}

/** Attaches a program, in the place of the one that is there; returns whether the clsact qdisc had to be made. */
export function tcAttach(
  ifindex: number,
  hook: TcHookName,
  programFd: number,
  handle = defaultHandle,
): boolean {
  const created = libbpf.tcHookCreate(hookOf(ifindex, hook));
  if (created !== EEXIST) libbpf.check(created, `add a clsact qdisc to link ${ifindex}`);
  // At every moment packets meet the old program or the new one.
  const opts = { ...optsOf(handle), prog_fd: programFd, flags: BPF_TC_F_REPLACE };
  libbpf.check(
    libbpf.tcAttach(hookOf(ifindex, hook), opts),
    `attach the ${hook} program to link ${ifindex}`,
  );
  return created === 0;
}

/** Takes our program off; no matter if it is not there. */
function tcDetach(ifindex: number, hook: TcHookName, handle: number): void {
  libbpf.tcDetach(hookOf(ifindex, hook), optsOf(handle));
}

/** File descriptors of a link's programs. */
export interface LinkPrograms {
  ingress: number;
  /** Of the LAN's links alone. */
  egress?: number;
}

interface NamedLink {
  name: string;
  ifindex: number;
}

const hooks = ['ingress', 'egress'] as const;
/** What goes out by an uplink a program of its route sees: see src/kernel/objects.ts. */
export const hooksOf: Record<Side, readonly TcHookName[]> = { lan: hooks, uplink: ['ingress'] };
const clsact = (link: string): string => `clsact ${link}`;

/** Whether a link has all programs of a side. */
export const isAttached = ({ ifindex }: NamedLink, side: Side): boolean =>
  hooksOf[side].every((hook) => tcQuery(ifindex, hook, linkHandle[side]) !== undefined);

/** All hooks of a link; the qdisc is remembered if it is ours. */
export function attachPrograms(
  maps: DirectorMaps,
  link: NamedLink,
  side: Side,
  programs: LinkPrograms,
): void {
  let made = false;
  const handle = linkHandle[side];
  for (const hook of hooksOf[side]) {
    const program = programs[hook];
    if (program !== undefined && tcQuery(link.ifindex, hook, handle) === undefined)
      made = tcAttach(link.ifindex, hook, program, handle) || made;
  }
  if (made) remember(maps, clsact(link.name), '');
}

/** Takes a side's programs off again, and the qdisc if we made it and nobody else uses it now. */
export function detachPrograms(maps: DirectorMaps, link: NamedLink, side: Side): void {
  const there = hooks.filter((hook) => tcQuery(link.ifindex, hook, linkHandle[side]) !== undefined);
  if (there.length === 0) return;
  for (const hook of there) tcDetach(link.ifindex, hook, linkHandle[side]);
  if (!readMemory(maps).some(({ name }) => name === clsact(link.name))) return;
  const used = hooks.some(
    (hook) => run(['tc', 'filter', 'show', 'dev', link.name, hook]).trim() !== '',
  );
  if (!used) tryRun(['tc', 'qdisc', 'del', 'dev', link.name, 'clsact']);
}

interface TcFilter {
  pref: number;
  kind: string;
  options?: { actions?: { kind: string }[] };
}

/** Others' filters at ingress that come after ours: tc asks the smaller preference first. */
export function readPassedFilters(links: string[]): FilterFact[] {
  return links.flatMap((link) => {
    const { status, stdout } = tryRun(['tc', '-json', 'filter', 'show', 'dev', link, 'ingress']);
    const filters = status === 0 ? (JSON.parse(stdout || '[]') as TcFilter[]) : [];
    return filters
      .filter(({ pref, options }) => pref > priority && options !== undefined)
      .map(({ pref, kind, options }) => {
        const kinds = [kind, ...(options?.actions ?? []).map((action) => action.kind)];
        return { link, preference: pref, kind: kinds.join(', ') };
      });
  });
}
