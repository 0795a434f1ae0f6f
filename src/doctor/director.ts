// The director that runs here: its table, its timers, and what it made in the kernel.

import type { DirectorFacts, Facts } from '../model/facts.ts';
import { directorLink } from '../plan/objects.ts';
import { type Check, error, type Found, note, warning } from './finding.ts';
import { anew, repair, startAnew } from './view.ts';

/** Of a table that fills up: time to do something. */
const nearly = 0.9;

const percent = (now: number, limit: number): string => `${Math.floor((100 * now) / limit)} %`;

const countPath = 'net/netfilter/nf_conntrack_count';
const maxPath = 'net/netfilter/nf_conntrack_max';

/** Elsewhere than in the first namespace the sysctl is only shown. */
const raise = (facts: Facts, to: number): string =>
  `sysctl -w net.netfilter.nf_conntrack_max=${to}${
    facts.conntrackMaxIsWritable ? '' : " (in the machine's first network namespace)"
  }`;

function findConntrack(facts: Facts): Found[] {
  const { sysctls, director } = facts;
  const [count, max] = [Number(sysctls[countPath] ?? 0), Number(sysctls[maxPath] ?? 0)];
  // Not loaded yet.
  if (max === 0) return [];
  if (count >= nearly * max)
    return [
      (count >= max ? error : warning)(
        `conntrack is ${percent(count, max)} full (${count} of ${max}); once it is, new connections are dropped`,
        raise(facts, 2 * max),
      ),
    ];
  if (!director || max >= director.connections.limit) return [];
  return [
    note(
      `conntrack has room for ${max} connections, the director for ${director.connections.limit}: the smaller one counts`,
      raise(facts, director.connections.limit),
    ),
  ];
}

export const conntrack: Check = { name: 'conntrack', find: findConntrack };

export const table: Check = {
  name: 'table',
  find: ({ director }) => {
    if (!director) return [];
    const { now, limit } = director.connections;
    if (now < nearly * limit) return [];
    return [
      warning(
        `the director's table is ${percent(now, limit)} full (${now} of ${limit}); once it is, new connections are not pinned to a gateway`,
        `lvsj stop && lvsj start --connections ${2 * limit}, at a quiet time, and the services again`,
      ),
    ];
  },
};

export const expiry: Check = {
  name: 'expiry',
  find: ({ director }) => {
    if (!director) return [];
    if (!director.timersPinned)
      return [
        error(
          "the pin of the director's timers in /sys/fs/bpf is gone: connections expire no more, and averages stand still",
          repair(director),
        ),
      ];
    if (director.expiryAlive) return [];
    return [
      error(
        "the director's timers are pinned, but none has fired for two seconds: connections expire no more",
        'lvsj stop, and start it again; please report it',
      ),
    ];
  },
};

interface Damage {
  is: (director: DirectorFacts) => boolean;
  found: (director: DirectorFacts) => Found;
}

const adds = (command: string): boolean => !/^ip -\d \w+ del /.test(command);

const damages: Damage[] = [
  {
    is: ({ repairs }) => repairs.length > 0,
    found: (director) => {
      const { repairs, file } = director;
      const missing = repairs.some(adds);
      return (missing ? error : warning)(
        missing
          ? "somebody has taken away policy rules or routes of the director's"
          : "the range of the director's policy rules and tables (20000 to 20999) has some that are not its own",
        file === '' ? repairs.join(' && ') : repair(director),
      );
    },
  },
  {
    is: ({ withoutProgram }) => withoutProgram.length > 0,
    found: (director) =>
      error(
        `the route to the director's program is gone (IPv${director.withoutProgram.join(', IPv')}, table 20000): nothing is shared out`,
        startAnew(director),
      ),
  },
  {
    is: ({ nftIsDamaged }) => nftIsDamaged,
    found: (director) =>
      error(
        'the nftables table inet lvsj is gone, or somebody has changed it: conntrack does not keep gateways as it should',
        director.file === '' ? anew('lvsj ipvsadm -C') : repair(director),
      ),
  },
];

const remains = error(
  `a part of a director is here (${directorLink}), but not its programs: it was damaged, or half taken away`,
  'lvsj stop',
);

export const objects: Check = {
  name: 'objects',
  find: ({ director, links }) => {
    if (director)
      return damages.filter(({ is }) => is(director)).map(({ found }) => found(director));
    return links.some(({ name }) => name === directorLink) ? [remains] : [];
  },
};

export const lanPrograms: Check = {
  name: 'lan-programs',
  find: ({ director }) => {
    if (!director) return [];
    return director.lanWithoutPrograms.map((link) =>
      error(
        `${link} is the LAN's, but the director's programs are not on it: its connections are neither known nor counted`,
        repair(director),
      ),
    );
  },
};
