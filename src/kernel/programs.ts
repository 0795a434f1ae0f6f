// Where the director's programs are attached, all but lvsj_control: routes, the LAN's links, and lvsj0,
// which holds those for links that come later. Each is put in the place of the one that is there.

import type { Family } from '../model/table.ts';
import { directorLink, directorPeer, directorTable } from '../plan/objects.ts';
import { UserError } from '../util/error.ts';
import * as libbpf from './libbpf.ts';
import { isDirectorLink, readLinks } from './link.ts';
import type { DirectorMaps } from './maps.ts';
import type { DirectorObject } from './object.ts';
import { ipWithProgram } from './pin.ts';
import { Program } from './program.ts';
import {
  type LinkPrograms,
  linkHandle,
  type Side,
  sides,
  type TcHookName,
  tcAttach,
  tcQuery,
} from './tc.ts';

/** For links with an Ethernet header, and for those without. */
const forms = ['', '_ip'] as const;
const hooks = ['ingress', 'egress'] as const satisfies TcHookName[];

const programNames = {
  lan: { ingress: 'lvsj_ingress', egress: 'lvsj_egress' },
  uplink: { ingress: 'lvsj_uplink_in', egress: 'lvsj_uplink_out' },
} as const;

/** lvsj0's filters beside lvsj_control. */
const heldHandle = {
  lan: { '': { ingress: 2, egress: 3 }, _ip: { ingress: 4, egress: 5 } },
  uplink: { '': { ingress: 6, egress: 7 }, _ip: { ingress: 8, egress: 9 } },
} as const;

/** The ones that lvsj0 and its other end hold. */
export function holdPrograms(object: DirectorObject): void {
  const holder = libbpf.interfaceIndex(directorLink);
  for (const side of sides)
    for (const form of forms)
      for (const hook of hooks) {
        const { fd } = object.program(`${programNames[side][hook]}${form}`);
        tcAttach(holder, 'ingress', fd, heldHandle[side][form][hook]);
      }
  tcAttach(libbpf.interfaceIndex(directorPeer), 'ingress', object.program('lvsj_router').fd);
}

/** Who looks at lvsj0 finds this director from now on. */
export function attachControl(control: Program): void {
  tcAttach(libbpf.interfaceIndex(directorLink), 'ingress', control.fd);
}

/** lvsj_control's id, if a director runs in this network namespace. */
export function findControl(): number | undefined {
  const ifindex = libbpf.interfaceIndex(directorLink);
  return ifindex === 0 ? undefined : tcQuery(ifindex, 'ingress');
}

/** For the links of a side, with and without a link header: descriptors that the caller closes. */
export function heldPrograms(side: Side, ethernet: boolean): LinkPrograms {
  const holder = libbpf.interfaceIndex(directorLink);
  const handles = heldHandle[side][ethernet ? '' : '_ip'];
  const fd = (hook: TcHookName): number => {
    const id = tcQuery(holder, 'ingress', handles[hook]);
    if (id === undefined)
      throw new UserError(`the ${hook} program is gone from ${directorLink}: lvsj stop, and again`);
    return Program.byId(id).fd;
  };
  return { ingress: fd('ingress'), egress: fd('egress') };
}

/** On each link, the object's program of the same name as the one that is there. */
export function replaceOnLinks(object: DirectorObject, running: DirectorMaps): void {
  const { id: ours } = running.map('verdicts').info;
  for (const link of readLinks().filter((each) => !isDirectorLink(each)))
    for (const side of sides)
      for (const hook of hooks) {
        const id = tcQuery(link.ifindex, hook, linkHandle[side]);
        if (id === undefined) continue;
        const { name, mapIds } = infoOf(id);
        if (mapIds.includes(ours))
          tcAttach(link.ifindex, hook, object.program(name).fd, linkHandle[side]);
      }
}

function infoOf(id: number): Program['info'] {
  const program = Program.byId(id);
  const { info } = program;
  program.close();
  return info;
}

/** The routes that run the director: what the kernel calls encap bpf. */
export function routeToDirector({ info: { id } }: Program, families: Family[]): void {
  try {
    for (const family of families)
      ipWithProgram(id, (path) => [
        ...[`-${family}`, 'route', 'replace', 'default', 'encap', 'bpf', 'in', 'pinned', path],
        ...['dev', directorLink, 'table', String(directorTable)],
      ]);
  } catch (error) {
    throw error instanceof UserError ? new UserError(explainRouteRefusal(error.message)) : error;
  }
}

/** ip says only "not supported" where the kernel was built without programs in routes. */
export function explainRouteRefusal(message: string): string {
  return /not supported|CONFIG_LWTUNNEL/i.test(message)
    ? 'this kernel can run no eBPF program in a route: it was built without CONFIG_LWTUNNEL_BPF, ' +
        "which the director needs (Debian's, Ubuntu's, Fedora's and RHEL's kernels have it)"
    : message;
}
