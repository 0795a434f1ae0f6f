// Who takes a packet from the LAN to an uplink and back: what people use, and ours. Each is set up on the
// director of a lab of its own.

import * as abi from '../../src/kernel/abi.gen.ts';
import type { BpfMap } from '../../src/kernel/map.ts';
import type { DirectorMaps } from '../../src/kernel/maps.ts';
import { inHost } from '../../src/lab/place.ts';
import { type Lab, namespaceOf } from '../../src/lab/topology.ts';
import { run } from '../../src/util/run.ts';
import { onDirector, readLink } from './labs.ts';
import { directorOf, formatConfig, hopsOf, startDaemon } from './ours.ts';
import { attachProgram, attachXdp } from './site.ts';
import type { Walk } from './walk.ts';

/** Which verdict of which hook each packet must have. */
interface Count {
  hook: number;
  verdict: number;
}

export interface Counted {
  maps: DirectorMaps;
  out: Count;
  back: Count;
}

export interface Peer {
  /** Of its lab. */
  name: string;
  title: string;
  isps: number;
  setUp(lab: Lab): undefined | Promise<Counted>;
}

const nft = (lab: Lab, script: string): string =>
  run(inHost(lab.name, 'director', ['nft', '-f', '-']), { input: script });

const snat = ({ isps }: Lab): string => `table ip bench-nat {
    chain postrouting {
      type nat hook postrouting priority srcnat;
      ${isps.map(({ link }) => `oifname "${link}" masquerade`).join('\n      ')}
    }
  }`;

/** A table for each uplink and the mark that leads there; `iif`: what comes in by an uplink goes by the main table. */
function setUpTables(lab: Lab, iif: boolean): void {
  const lines = lab.isps.flatMap(({ link, ipv4, number }) => [
    `route add default via ${ipv4.gateway} dev ${link} table ${100 + number}`,
    ...(iif ? [`rule add pref ${1000 + number} iif ${link} lookup main`] : []),
    `rule add pref ${2000 + number} fwmark ${number}/0xff lookup ${100 + number}`,
  ]);
  run(['ip', '-n', namespaceOf(lab.name, 'director'), '-batch', '-'], { input: lines.join('\n') });
}

/** Restores the mark, gives one to who has none, keeps it: each packet passes all three. */
function setUpIptables(lab: Lab): void {
  setUpTables(lab, true);
  const share = lab.isps.flatMap(({ link, number }, index) => [
    `-A balance -i ${link} -m mark --mark 0/0xff -j MARK --set-xmark ${number}/0xff`,
    `-A balance -i eth0 -m mark --mark 0/0xff -m statistic --mode nth --every ${lab.isps.length - index} ` +
      `--packet 0 -j MARK --set-xmark ${number}/0xff`,
  ]);
  const script = [
    '*mangle',
    ':balance -',
    '-A PREROUTING -j CONNMARK --restore-mark --nfmask 0xff --ctmask 0xff',
    '-A PREROUTING -m mark --mark 0/0xff -j balance',
    '-A PREROUTING -j CONNMARK --save-mark --nfmask 0xff --ctmask 0xff',
    ...share,
    'COMMIT',
    '*nat',
    ...lab.isps.map(({ link }) => `-A POSTROUTING -o ${link} -j MASQUERADE`),
    'COMMIT',
    '',
  ];
  const restore = inHost(lab.name, 'director', ['iptables-legacy-restore']);
  run(restore, { input: script.join('\n') });
}

const marksInTurn = ({ isps }: Lab): string =>
  `numgen inc mod ${isps.length} map { ${isps.map(({ number }, index) => `${index} : ${number}`).join(', ')} }`;

/** The same three steps. */
function setUpNft(lab: Lab): void {
  setUpTables(lab, true);
  const links = lab.isps.map(({ link, number }) => `iifname "${link}" meta mark set ${number}`);
  nft(
    lab,
    `table ip bench {
      chain balance {
        ${links.join('\n        ')}
        iifname "eth0" meta mark set ${marksInTurn(lab)}
      }
      chain prerouting {
        type filter hook prerouting priority mangle;
        meta mark set ct mark
        meta mark 0 jump balance
        ct mark set meta mark
      }
    }
    ${snat(lab)}`,
  );
}

/** No step that could be left out: only what comes from the LAN is marked, and a mark is kept once. */
function setUpNumgen(lab: Lab): void {
  setUpTables(lab, false);
  nft(
    lab,
    `table ip bench {
      chain prerouting {
        type filter hook prerouting priority mangle;
        iifname != "eth0" accept
        ct state new ct mark set ${marksInTurn(lab)}
        meta mark set ct mark
      }
    }
    ${snat(lab)}`,
  );
}

function setUpMultipath(lab: Lab): void {
  const hops = lab.isps.map(({ ipv4, link }) => `nexthop via ${ipv4.gateway} dev ${link}`);
  onDirector(lab, `ip route replace default ${hops.join(' ')}`);
  nft(lab, snat(lab));
}

async function setUpOurs(lab: Lab, config: string, fast: boolean): Promise<Counted> {
  await startDaemon(lab, config);
  const maps = directorOf(lab);
  const { VERDICT_FAST, VERDICT_KNOWN } = abi.verdict;
  const verdict = fast ? VERDICT_FAST : VERDICT_KNOWN;
  const back = fast ? abi.hook.HOOK_UPLINK_IN : abi.hook.HOOK_EGRESS;
  return { maps, out: { hook: abi.hook.HOOK_INGRESS, verdict }, back: { hook: back, verdict } };
}

/** Ours with the configuration that `config` makes for it; that of its two uplinks if none is given. */
export function ours(
  fast: boolean,
  name: string,
  isps = 2,
  config = (lab: Lab, fastpath: boolean) => formatConfig({ hops: hopsOf(lab), fastpath }),
): Peer {
  const title = `ours, fast path ${fast ? 'on' : 'off'}`;
  return { name, title, isps, setUp: (lab) => setUpOurs(lab, config(lab, fast), fast) };
}

function peer(name: string, title: string, isps: number, setUp: (lab: Lab) => void): Peer {
  return {
    ...{ name, title, isps },
    setUp(lab) {
      setUp(lab);
      return undefined;
    },
  };
}

export const peers = {
  forwarding: peer('forwarding', 'plain forwarding', 1, () => {}),
  snat: peer('snat', 'conntrack and SNAT, one uplink', 1, (lab) => nft(lab, snat(lab))),
  ruled: peer('ruled', 'the same with a policy rule', 1, (lab) => {
    nft(lab, snat(lab));
    onDirector(lab, 'ip rule add pref 100 fwmark 0xff lookup 99');
  }),
  multipath: peer('multipath', 'multipath route and SNAT', 2, setUpMultipath),
  iptables: peer('iptables', 'marks and rules, iptables', 2, setUpIptables),
  nft: peer('nft', 'marks and rules, nftables', 2, setUpNft),
  numgen: peer('numgen', 'nftables numgen', 2, setUpNumgen),
  ours: ours(false, 'ours'),
  fast: ours(true, 'fast'),
} satisfies Record<string, Peer>;

/** The other one of the director's two links, for either. */
function joinLinks(across: BpfMap, director: string): void {
  const [lan, uplink] = ['eth0', 'eth1'].map((link) => {
    const word = Buffer.alloc(4);
    word.writeUInt32LE(readLink(director, link).ifindex);
    return word;
  }) as [Buffer, Buffer];
  across.set(lan, uplink);
  across.set(uplink, lan);
}

/** From link to link, with nothing looked at. */
export function floorPeers({ floor: { tc, xdp, across } }: Walk): Peer[] {
  const bare = (name: string, title: string, attach: (director: string, lab: Lab) => void): Peer =>
    peer(name, title, 1, (lab) => {
      const director = namespaceOf(lab.name, 'director');
      joinLinks(across, director);
      attach(director, lab);
    });
  return [
    bare('floor', 'bare redirect', (director) => {
      for (const link of ['eth0', 'eth1']) attachProgram(tc, director, link);
    }),
    bare('floor-xdp', 'bare redirect, XDP', (director, lab) => {
      for (const link of ['eth0', 'eth1']) attachXdp(xdp, director, link);
      // veth drops a redirected frame unless the link at its other end polls, as it does with GRO.
      for (const host of ['lan', 'isp1'])
        run(inHost(lab.name, host, ['ethtool', '-K', 'eth0', 'gro', 'on']));
    }),
  ];
}
