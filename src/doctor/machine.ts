// What the machine must have: a kernel that can run the director, and the programs that lvsj starts.

import type { KernelFeature } from '../model/facts.ts';
import { type Check, error, note } from './finding.ts';

const oldest = [6, 1] as const;

function isTooOld(release: string): boolean {
  const [major = 0, minor = 0] = release.split('.').map((part) => Number.parseInt(part, 10));
  return major < oldest[0] || (major === oldest[0] && minor < oldest[1]);
}

const features: Record<KernelFeature, { what: string; option: string }> = {
  btf: { what: 'tells no types of its own (/sys/kernel/btf/vmlinux)', option: 'DEBUG_INFO_BTF' },
  'route programs': { what: 'runs no program in a route', option: 'LWTUNNEL_BPF' },
  clsact: { what: 'runs no program on a link', option: 'NET_SCH_INGRESS and NET_CLS_BPF' },
  nftables: { what: 'takes no nftables table of the family inet with NAT', option: 'NFT_NAT' },
  conntrack: { what: 'keeps no marks of connections', option: 'NF_CONNTRACK_MARK and NFT_CT' },
};

export const kernel: Check = {
  name: 'kernel',
  find: ({ kernel: { release, features: there } }) => [
    ...(isTooOld(release)
      ? [
          error(
            `Linux ${release} is older than ${oldest.join('.')}: the director's programs do not run on it`,
            'boot a newer kernel; Debian 12 has 6.1',
          ),
        ]
      : []),
    ...(Object.keys(features) as KernelFeature[])
      .filter((feature) => !there[feature])
      .map((feature) =>
        error(
          `this kernel ${features[feature].what}`,
          `boot one with CONFIG_${features[feature].option.replaceAll(' and ', ' and CONFIG_')}, as distributions build it`,
        ),
      ),
  ],
};

/** Programs by the Debian package that has them; lvsj does without the others of facts.programs. */
const needed: Record<string, string> = {
  ip: 'iproute2',
  tc: 'iproute2',
  nft: 'nftables',
  bpftool: 'bpftool',
  nsenter: 'util-linux',
};
const optional: Record<string, { of: string; use: string }> = {
  conntrack: { of: 'conntrack', use: 'to look at what conntrack knows' },
  ethtool: { of: 'ethtool', use: 'for lvsj doctor to see large receive offload' },
};

export const programs: Check = {
  name: 'programs',
  find: (facts) =>
    facts.programs
      .filter(({ version }) => version === '')
      .flatMap(({ name }) => {
        const extra = optional[name];
        if (extra)
          return [
            note(
              `${name} is not installed; it is good ${extra.use}`,
              `apt-get install ${extra.of}`,
            ),
          ];
        const debianPackage = needed[name];
        if (debianPackage === undefined) return [];
        return [
          error(`${name} is not installed, and lvsj needs it`, `apt-get install ${debianPackage}`),
        ];
      }),
};

export const clock: Check = {
  name: 'clock',
  find: ({ clockIsSynchronised }) =>
    clockIsSynchronised
      ? []
      : [
          note(
            'the clock follows no time server: logs, and times that the API tells, may be wrong',
            'apt-get install systemd-timesyncd',
          ),
        ],
};
