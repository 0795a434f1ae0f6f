// The machine, for lvsj doctor: what its kernel can do, which programs it has, sysctls, its clock.

import { existsSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { release } from 'node:os';
import type { KernelFacts, ProgramFact } from '../model/facts.ts';
import { type RunResult, run, tryRun } from '../util/run.ts';
import { readVersion } from './installed.ts';
import * as libbpf from './libbpf.ts';
import { readSysctl } from './memory.ts';

/** In a network namespace of its own, which goes with the program: nothing is tried on the real one. */
const attempt = (argv: string[], input: string): RunResult =>
  tryRun(['unshare', '--net', ...argv], { input });

const nftAccepts = (chain: string): boolean =>
  attempt(['nft', '-f', '-'], `table inet attempt {\n chain c {\n ${chain}\n }\n}\n`).status === 0;

/** A route without a program is refused as such where the kernel knows of programs in routes. */
const routeAttempt = 'link set lo up\nroute add 198.18.0.0/32 encap bpf headroom 4 dev lo\n';

export function readKernelFacts(): KernelFacts {
  run(['unshare', '--net', 'true']);
  const { stderr } = attempt(['ip', '-batch', '-'], routeAttempt);
  return {
    release: release(),
    features: {
      btf: existsSync('/sys/kernel/btf/vmlinux'),
      'route programs': !/not supported|CONFIG_LWTUNNEL/i.test(stderr),
      clsact: attempt(['tc', 'qdisc', 'add', 'dev', 'lo', 'clsact'], '').status === 0,
      nftables: nftAccepts('type nat hook postrouting priority 100; masquerade'),
      conntrack: nftAccepts('type filter hook prerouting priority 0; ct mark set meta mark'),
    },
  };
}

/** How each tells its version. */
const versionOf: Record<string, string> = {
  ip: '-V',
  tc: '-V',
  nft: '--version',
  bpftool: 'version',
  nsenter: '--version',
  conntrack: '--version',
  ethtool: '--version',
};

export const readPrograms = (): ProgramFact[] =>
  Object.entries(versionOf).map(([name, option]) => ({ name, version: readVersion(name, option) }));

const sysctlNames: Record<string, string[]> = {
  'net/ipv4/conf': ['rp_filter', 'src_valid_mark', 'forwarding'],
  'net/ipv6/conf': ['forwarding', 'accept_ra', 'disable_ipv6'],
};

export function readSysctls(): Record<string, string> {
  const names = [
    'net/ipv4/ip_forward',
    'net/netfilter/nf_conntrack_count',
    'net/netfilter/nf_conntrack_max',
    'net/netfilter/nf_conntrack_acct',
  ];
  for (const [folder, values] of Object.entries(sysctlNames)) {
    const path = `/proc/sys/${folder}`;
    const links = existsSync(path) ? readdirSync(path) : [];
    names.push(...links.flatMap((link) => values.map((value) => `${folder}/${link}/${value}`)));
  }
  const read = names.map((name) => [name, readSysctl(name)] as const);
  return Object.fromEntries(read.filter((entry) => entry[1] !== undefined)) as Record<
    string,
    string
  >;
}

const ownerMayWrite = 0o200;

export function conntrackMaxIsWritable(): boolean {
  const path = '/proc/sys/net/netfilter/nf_conntrack_max';
  return existsSync(path) && (statSync(path).mode & ownerMayWrite) !== 0;
}

const timexLength = 256;
const maxErrorOffset = 24;
/** Microseconds: where the kernel stops counting what the clock may be off by. */
const largestError = 16_000_000n;

/** As systemd asks: the flag STA_UNSYNC is also set to keep the kernel from the hardware's clock. */
export function clockIsSynchronised(): boolean {
  const timex = Buffer.alloc(timexLength);
  libbpf.check(Math.min(libbpf.adjtimex(timex), 0), 'read the clock (adjtimex)');
  return timex.readBigInt64LE(maxErrorOffset) < largestError;
}

const networkdFolders = ['/usr/lib', '/usr/local/lib', '/run', '/etc'];

/** By file name, as systemd reads them: a name that comes again replaces the one before. */
function networkdFiles(): string[] {
  const files = new Map<string, string>();
  for (const folder of networkdFolders) {
    const path = `${folder}/systemd/networkd.conf.d`;
    for (const file of existsSync(path) ? readdirSync(path) : [])
      if (file.endsWith('.conf')) files.set(file, `${path}/${file}`);
  }
  const dropIns = [...files].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, path]) => path);
  return ['/etc/systemd/networkd.conf', ...dropIns].filter((path) => existsSync(path));
}

function networkdRunsHere(): boolean {
  const own = readlinkSync('/proc/self/ns/net');
  return readdirSync('/proc').some((pid) => {
    try {
      return (
        /^\d+$/.test(pid) &&
        readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === 'systemd-network' &&
        readlinkSync(`/proc/${pid}/ns/net`) === own
      );
    } catch {
      // It ended meanwhile.
      return false;
    }
  });
}

export function networkdTakesRules(): boolean {
  if (!networkdRunsHere()) return false;
  const text = networkdFiles()
    .map((path) => readFileSync(path, 'utf8'))
    .join('\n');
  const values = [...text.matchAll(/^\s*ManageForeignRoutingPolicyRules\s*=\s*(\S+)/gim)];
  return !/^(?:no|false|off|0|n|f)$/i.test(values.at(-1)?.[1] ?? 'yes');
}
