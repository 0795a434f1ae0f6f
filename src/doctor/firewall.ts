// Rules of nftables and iptables: offload that goes past the director, segments that do not fit, and
// source addresses that the outgoing link does not have.

import { readFirewall } from '../firewall/firewall.ts';
import { covers, type FirewallRule } from '../firewall/rule.ts';
import { familyOf } from '../model/address.ts';
import type { Facts, GatewayFact, LinkFact } from '../model/facts.ts';
import { type Check, error, type Found, note, warning } from './finding.ts';
import { contains, isPrivate } from './prefix.ts';
import { gatewayName, gatewaysOf, isGlobal, lanLinks, networksOf, repair } from './view.ts';

export const offload: Check = {
  name: 'offload',
  find: (facts) =>
    readFirewall(facts)
      .filter(({ offloads, places }) => offloads && places.length > 0)
      .map(({ where, remove }) =>
        error(
          `"${where}" sends flows past the policy rules: they take the way that the main table had when they were offloaded`,
          remove,
        ),
      ),
};

export const largeReceive: Check = {
  name: 'large-receive-offload',
  find: ({ lro }) =>
    Object.entries(lro)
      .filter(([, state]) => state.startsWith('on'))
      .map(([link, state]) => {
        const what = `large receive offload is on for ${link}: it makes packets that can't be forwarded`;
        return state.includes('fixed')
          ? note(what, `its driver does not let it be switched off: ethtool -k ${link}`)
          : warning(what, `ethtool -K ${link} lro off`);
      }),
};

const headerBytes = { 4: 40, 6: 60 } as const;

interface Path {
  gateway: GatewayFact;
  link: LinkFact;
  /** Bytes of a packet. */
  mtu: number;
}

function fits(rule: FirewallRule, { gateway, link, mtu }: Path): boolean {
  if (rule.mss === null || !rule.families.includes(gateway.family)) return false;
  const small =
    rule.mss === 'path' ? mtu >= link.mtu : rule.mss <= mtu - headerBytes[gateway.family];
  return (
    small &&
    rule.places.some(
      ({ hook, out }) => ['forward', 'postrouting'].includes(hook) && covers(out, link.name),
    )
  );
}

function clampCommand(facts: Facts, { gateway, link, mtu }: Path): string {
  if (facts.director?.file) return repair(facts.director);
  const program = gateway.family === 4 ? 'iptables' : 'ip6tables';
  const to =
    mtu >= link.mtu ? '--clamp-mss-to-pmtu' : `--set-mss ${mtu - headerBytes[gateway.family]}`;
  return `${program} -t mangle -A FORWARD -o ${link.name} -p tcp --tcp-flags SYN,RST SYN -j TCPMSS ${to}`;
}

function pathsOf(facts: Facts): Path[] {
  return gatewaysOf(facts).flatMap((gateway) => {
    const link = facts.links.find(({ name }) => name === gateway.link);
    return link ? [{ gateway, link, mtu: gateway.mtu || link.mtu }] : [];
  });
}

export const mtu: Check = {
  name: 'mtu',
  find: (facts) => {
    const [largest] = lanLinks(facts).sort((a, b) => b.mtu - a.mtu);
    const rules = readFirewall(facts);
    return pathsOf(facts)
      .filter((path) => path.mtu < (largest?.mtu ?? 0))
      .filter((path) => !rules.some((rule) => fits(rule, path)))
      .map((path) =>
        warning(
          `${gatewayName(path.gateway)}: packets of more than ${path.mtu} bytes do not fit, and ${largest?.name} has ${largest?.mtu}: TCP hangs where ICMP is filtered`,
          clampCommand(facts, path),
        ),
      );
  },
};

const addressesOf = ({ addresses }: LinkFact, family: 4 | 6): string[] =>
  addresses
    .filter((address) => address.family === family && isGlobal(address))
    .map(({ address }) => address);

/** The same rule, for this link and with an address of it. */
function replaceCommand(rule: FirewallRule, wrong: string, link: LinkFact): string {
  const family = familyOf(wrong);
  const right = addressesOf(link, family)[0] ?? 'ADDRESS';
  const [iptables, ...words] = rule.where.split(' -A ');
  if (words.length > 0) {
    const line = words.join(' -A ').replaceAll(wrong, right);
    const out = rule.out ? line : line.replace(/^\S+/, `$& -o ${link.name}`);
    return `${rule.remove} && ${iptables} -A ${out}`;
  }
  const add = `nft add rule ${rule.table} ${rule.chain} oifname "${link.name}" snat ip${family === 4 ? '' : '6'} to ${right}`;
  return `${rule.remove} && ${add}`;
}

function judgeAddress(facts: Facts, rule: FirewallRule, address: string): Found[] {
  const links = pathsOf(facts)
    .filter(({ gateway }) => gateway.family === familyOf(address))
    .map(({ link }) => link);
  const met = [...new Set(links)].filter(({ name }) =>
    rule.places.some(({ hook, out }) => hook === 'postrouting' && out && covers(out, name)),
  );
  return met
    .filter((link) => !addressesOf(link, familyOf(address)).includes(address))
    .map((link) => {
      const owner = facts.links.find((each) =>
        addressesOf(each, familyOf(address)).includes(address),
      );
      const what = `"${rule.where}" lets packets leave by ${link.name} with ${address}`;
      if (owner)
        return error(
          `${what}, which is an address of ${owner.name}: the provider drops them, or answers come in there`,
          replaceCommand(rule, address, link),
        );
      if (networksOf(link, familyOf(address)).some((network) => contains(network, address)))
        return warning(
          `${what}, which nobody has there: the provider's router finds nobody to give answers to`,
          `ip addr add ${address}/32 dev ${link.name}`.replace(
            '/32',
            familyOf(address) === 4 ? '/32' : '/128',
          ),
        );
      return note(
        `${what}, which is in no network of it`,
        'nothing, if the provider routes it to you',
      );
    });
}

/** One address for all links is right for one of them at most. */
function judgeEverywhere(facts: Facts, rule: FirewallRule, address: string): Found[] {
  const links = new Set(
    pathsOf(facts)
      .filter(({ gateway }) => gateway.family === familyOf(address))
      .map(({ link }) => link),
  );
  const isForAll = rule.places.some(({ hook, out }) => hook === 'postrouting' && out === null);
  const owner = [...links].find((link) => addressesOf(link, familyOf(address)).includes(address));
  if (!isForAll || rule.picky || links.size < 2 || !owner) return [];
  return [
    error(
      `"${rule.where}" gives packets the address ${address} whichever link they leave by; only ${owner.name} has it`,
      replaceCommand(rule, address, owner),
    ),
  ];
}

/** What leaves with a private address comes back to nobody. */
function findUnchanged(facts: Facts, rules: FirewallRule[]): Found[] {
  const lan = lanLinks(facts);
  return pathsOf(facts).flatMap(({ gateway, link }) => {
    const { family, snat, unavailable } = gateway;
    if (unavailable !== '' || snat?.kind === 'none') return [];
    const networks = lan
      .flatMap((each) => networksOf(each, family))
      .filter((network) => isPrivate(network.split('/')[0] ?? ''));
    const changed = rules.some(
      ({ nat, families, places }) =>
        nat &&
        families.includes(family) &&
        places.some(({ hook, out }) => hook === 'postrouting' && covers(out, link.name)),
    );
    if (networks.length === 0 || changed) return [];
    const program = family === 4 ? 'iptables' : 'ip6tables';
    return [
      warning(
        `${gatewayName(gateway)}: what comes from ${networks.join(', ')} leaves ${link.name} with its private address, to which no answer finds back`,
        facts.director?.file
          ? repair(facts.director)
          : `${program} -t nat -A POSTROUTING -o ${link.name} -j MASQUERADE`,
      ),
    ];
  });
}

export const sourceAddress: Check = {
  name: 'source-address',
  find: (facts) => {
    const rules = readFirewall(facts);
    const theirs = rules.filter(({ ours }) => !ours);
    const single = (address: string): boolean => !address.includes('/');
    return [
      ...theirs.flatMap((rule) =>
        rule.nat?.kind === 'snat'
          ? rule.nat.addresses
              .filter(single)
              .flatMap((address) => [
                ...judgeAddress(facts, rule, address),
                ...judgeEverywhere(facts, rule, address),
              ])
          : [],
      ),
      ...findUnchanged(facts, rules),
    ];
  },
};
