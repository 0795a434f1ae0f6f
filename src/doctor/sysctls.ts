// Sysctls without which packets are dropped, though every table is right.

import type { Facts } from '../model/facts.ts';
import type { Family } from '../model/table.ts';
import { directorLink, directorPeer } from '../plan/objects.ts';
import { type Check, error, type Found, warning } from './finding.ts';
import { gatewayLinks, gatewaysOf, isDefault, isOurLink, lanLinks, sysctl } from './view.ts';

const strict = 1;

const hasFamily = (facts: Facts, family: Family): boolean =>
  gatewaysOf(facts).some((gateway) => gateway.family === family);

const linksOf = (facts: Facts, family: Family): string[] => [
  ...new Set(
    gatewaysOf(facts)
      .filter((gateway) => gateway.family === family)
      .map(({ link }) => link),
  ),
];

function findForwarding(facts: Facts) {
  const { sysctls } = facts;
  const found = [];
  const off = (name: string): boolean => sysctls[name] === '0';
  if (hasFamily(facts, 4)) {
    if (off('net/ipv4/ip_forward'))
      found.push(
        error('IPv4 forwarding is off: no packet passes', sysctl('net/ipv4/ip_forward', 1)),
      );
    else
      for (const link of [...lanLinks(facts).map(({ name }) => name), ...linksOf(facts, 4)]) {
        const name = `net/ipv4/conf/${link}/forwarding`;
        if (off(name))
          found.push(
            error(`${link} forwards no IPv4: what comes in there ends there`, sysctl(name, 1)),
          );
      }
  }
  const all6 = 'net/ipv6/conf/all/forwarding';
  if (hasFamily(facts, 6) && off(all6))
    found.push(error('IPv6 forwarding is off: no packet passes', sysctl(all6, 1)));
  return found;
}

export const forwarding: Check = { name: 'forwarding', find: findForwarding };

/** The larger one of `all` and the link's own counts. */
const effective = ({ sysctls }: Facts, link: string, name: string): number =>
  Math.max(...['all', link].map((each) => Number(sysctls[`net/ipv4/conf/${each}/${name}`] ?? 0)));

const isStrict = (facts: Facts, link: string): boolean =>
  effective(facts, link, 'rp_filter') === strict;

const formatFilter = ({ sysctls }: Facts, link: string): string =>
  `(rp_filter of all is ${sysctls['net/ipv4/conf/all/rp_filter']}, of ${link} ${sysctls[`net/ipv4/conf/${link}/rp_filter`]}; the larger one counts)`;

/** They have no address, so that a loose filter drops there, too. */
const directorLinks = [
  { link: directorLink, dropped: 'every packet that the director has decided' },
  { link: directorPeer, dropped: "every packet of the router's own that is shared out" },
];

const findOnDirectorLinks = (facts: Facts): Found[] =>
  directorLinks
    .filter(({ link }) => effective(facts, link, 'rp_filter') !== 0)
    .map(({ link, dropped }) => {
      const wrong = ['all', link].filter((each) =>
        Number(facts.sysctls[`net/ipv4/conf/${each}/rp_filter`] ?? 0),
      );
      return error(
        `a reverse-path filter, strict or loose, drops ${dropped} ${formatFilter(facts, link)}`,
        wrong.map((each) => sysctl(`net/ipv4/conf/${each}/rp_filter`, 0)).join(' && '),
      );
    });

export const reversePath: Check = {
  name: 'reverse-path',
  find: (facts) =>
    facts.director
      ? [
          ...findOnDirectorLinks(facts),
          ...linksOf(facts, 4)
            .filter((link) => isStrict(facts, link))
            .map((link) =>
              error(
                `a strict reverse-path filter drops replies that come in by ${link} and not by the main table's way ${formatFilter(facts, link)}`,
                sysctl(`net/ipv4/conf/${link}/rp_filter`, 2),
              ),
            ),
        ]
      : [],
};

function findSrcValidMark(facts: Facts) {
  const { sysctls } = facts;
  const links = facts.links.filter(
    ({ name, loopback }) =>
      !loopback &&
      !isOurLink(name) &&
      isStrict(facts, name) &&
      effective(facts, name, 'src_valid_mark') === 1,
  );
  if (links.length === 0) return [];
  const setBy = ['all', ...links.map(({ name }) => name)].filter(
    (name) => sysctls[`net/ipv4/conf/${name}/src_valid_mark`] === '1',
  );
  return [
    warning(
      `src_valid_mark=1 makes the strict reverse-path filter of ${links.map(({ name }) => name).join(', ')} go by the mark: ` +
        'packets whose mark leads elsewhere are dropped (tailscaled 1.98 sets it)',
      setBy.map((name) => sysctl(`net/ipv4/conf/${name}/src_valid_mark`, 0)).join(' && '),
    ),
  ];
}

export const srcValidMark: Check = { name: 'src-valid-mark', find: findSrcValidMark };

/** Links whose IPv6 default route comes from router advertisements. */
function advertisedLinks(facts: Facts): string[] {
  const learnt = gatewaysOf(facts).filter(({ family, learnt }) => family === 6 && learnt);
  const routes = facts.routes.filter(
    (route) => route.family === 6 && route.protocol === 'ra' && isDefault(route),
  );
  return [...new Set([...learnt, ...routes].map(({ link }) => link))];
}

export const routerAdvertisements: Check = {
  name: 'router-advertisements',
  find: (facts) =>
    advertisedLinks(facts).flatMap((link) => {
      const [name, on] = ['accept_ra', 'forwarding'].map((each) => `net/ipv6/conf/${link}/${each}`);
      if (facts.sysctls[name ?? ''] !== '1' || facts.sysctls[on ?? ''] === '0') return [];
      return [
        warning(
          `${link} learns its IPv6 default route from router advertisements, but a router with accept_ra=1 takes none: the route goes when its time is over`,
          sysctl(name ?? '', 2),
        ),
      ];
    }),
};

/** A gateway of IPv6 on a link where the kernel has switched it off. */
export const ipv6: Check = {
  name: 'ipv6',
  find: (facts) =>
    gatewayLinks(facts)
      .filter((link) => linksOf(facts, 6).includes(link))
      .map((link) => `net/ipv6/conf/${link}/disable_ipv6`)
      .filter((name) => facts.sysctls[name] === '1')
      .map((name) =>
        error(`IPv6 is off on ${name.split('/')[3]}, where a gateway has it`, sysctl(name, 0)),
      ),
};
