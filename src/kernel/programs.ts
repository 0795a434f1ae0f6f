// Where the director's programs are attached, all but lvsj_control: routes, the LAN's links, and lvsj0,
// which holds those for links that come later. Each is put in the place of the one that is there.

import type { Family } from '../model/table.ts';
import { directorLink, directorPeer, directorTable } from '../plan/objects.ts';
import { UserError } from '../util/error.ts';
import * as libbpf from './libbpf.ts';
import { isDirectorLink, readLinks } from './link.ts';
import type { DirectorMaps } from './maps.ts';
import type { DirectorObject, RoutePrograms } from './object.ts';
import { ipWithPrograms } from './pin.ts';
import { Program } from './program.ts';
import {
  hooksOf,
  type LinkPrograms,
  linkHandle,
  type Side,
  sides,
  tcAttach,
  tcQuery,
} from './tc.ts';

/** For links with an Ethernet header, and for those without. */
const forms = ['', '_ip'] as const;

interface Held extends Record<(typeof forms)[number], number> {
  name: string;
}

/** The programs of a link, and as which of lvsj0's filters it holds them, beside lvsj_control. */
const held: Record<Side, { ingress: Held; egress?: Held }> = {
  lan: {
    ingress: { name: 'lvsj_ingress', '': 2, _ip: 4 },
    egress: { name: 'lvsj_egress', '': 3, _ip: 5 },
  },
  uplink: { ingress: { name: 'lvsj_uplink_in', '': 6, _ip: 7 } },
};

/** The ones that lvsj0 and its other end hold. */
export function holdPrograms(object: DirectorObject): void {
  const holder = libbpf.interfaceIndex(directorLink);
  for (const side of sides)
    for (const { name, ...handles } of Object.values(held[side]))
      for (const form of forms)
        tcAttach(holder, 'ingress', object.program(`${name}${form}`).fd, handles[form]);
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
  const { ingress, egress } = held[side];
  const fd = ({ name, ...handles }: Held): number => {
    const id = tcQuery(holder, 'ingress', handles[ethernet ? '' : '_ip']);
    if (id === undefined)
      throw new UserError(`${name} is gone from ${directorLink}: lvsj stop, and again`);
    return Program.byId(id).fd;
  };
  return { ingress: fd(ingress), ...(egress && { egress: fd(egress) }) };
}

/** On each link, the object's program of the same name as the one that is there. */
export function replaceOnLinks(object: DirectorObject, running: DirectorMaps): void {
  const { id: ours } = running.map('verdicts').info;
  for (const link of readLinks().filter((each) => !isDirectorLink(each)))
    for (const side of sides)
      for (const hook of hooksOf[side]) {
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

/** The routes that run the director. They hold lvsj_uplink_out, too, for gateways' routes that come later. */
export function routeToDirector({ director, uplinkOut }: RoutePrograms, families: Family[]): void {
  const ids = [director, uplinkOut].map(({ info: { id } }) => id);
  try {
    for (const family of families)
      ipWithPrograms(ids, (paths) => {
        const programs = `encap bpf in pinned ${paths[0]} xmit pinned ${paths[1]}`;
        const route = `default ${programs} dev ${directorLink} table ${directorTable}`;
        return { argv: [`-${family}`, 'route', 'replace', ...route.split(' ')] };
      });
  } catch (error) {
    throw error instanceof UserError ? new UserError(explainRouteRefusal(error.message)) : error;
  }
}

/** lvsj_director, lvsj_uplink_out, of the object that lvsj_control is of; undefined: nothing holds it any more. */
export function findRouteProgram(name: string): Program | undefined {
  const control = findControl();
  if (control === undefined) return undefined;
  const { mapIds } = infoOf(control);
  // Those of an older object have another map that says what it was loaded from.
  return Program.find(
    (info) => info.name === name && info.mapIds.every((id) => mapIds.includes(id)),
  );
}

/** ip says only "not supported" where the kernel was built without programs in routes. */
export function explainRouteRefusal(message: string): string {
  return /not supported|CONFIG_LWTUNNEL/i.test(message)
    ? 'this kernel can run no eBPF program in a route: it was built without CONFIG_LWTUNNEL_BPF, ' +
        "which the director needs (Debian's, Ubuntu's, Fedora's and RHEL's kernels have it)"
    : message;
}
