// What a configuration adds to the kernel's objects, now that its gateways have ids.

import { type Config, mainService } from '../model/config.ts';
import type { Environment } from '../model/environment.ts';
import type { ClampObject, ConfigObjects, InboundObject, RuleObject } from '../model/objects.ts';
import { planOwn } from './config-own.ts';
import type { ResolvedGateway } from './gateways.ts';
import { planRule } from './nft-rules.ts';

const unique = <T>(items: T[]): T[] => [...new Set(items)];

function planRules({ rules, services, sets }: Config): RuleObject[] {
  const marks = new Map(services.map(({ name, fwmark }) => [name, fwmark]));
  const byName = new Map(sets.map((set) => [set.name, set]));
  return rules.map((rule) => {
    const mark = rule.service === mainService ? 0 : marks.get(rule.service);
    if (mark === undefined) throw new Error(`rule ${rule.name}: no service ${rule.service}`);
    return planRule(rule, mark, byName);
  });
}

/** Of several gateways on a link the first: the packet does not say which of them it came by. */
function planInbound(gateways: ResolvedGateway[], outside: string[]): InboundObject[] {
  const found = new Map<string, InboundObject>();
  for (const { link, family, id } of gateways)
    if (outside.includes(link) && !found.has(`${link} ${family}`))
      found.set(`${link} ${family}`, { link, family, id });
  return [...found.values()];
}

/** Links whose packets must be smaller than those that the other links let the LAN send. */
function planClamps({ gateways }: Config, { links }: Environment, used: string[]): ClampObject[] {
  const others = links.filter(({ name, loopback }) => !loopback && !used.includes(name));
  const largest = Math.max(0, ...others.map(({ mtu }) => mtu));
  return used.flatMap((link) => {
    const own = links.find(({ name }) => name === link)?.mtu;
    const told = gateways.filter((each) => each.link === link && each.mtu > 0).map((g) => g.mtu);
    const mtu = Math.min(...told, own ?? Number.POSITIVE_INFINITY);
    return mtu < largest ? [{ link, mtu }] : [];
  });
}

/** gateways: those that have an id. */
export function planConfigObjects(
  config: Config,
  environment: Environment,
  gateways: ResolvedGateway[],
): ConfigObjects {
  const used = unique(config.gateways.map(({ link }) => link));
  const outside = used.filter((link) => !config.lan.includes(link));
  return {
    gateways: gateways.map(({ address }) => address),
    lan: config.lan,
    outside,
    fastpath: config.services.some(({ fastpath }) => fastpath !== 'off'),
    rules: planRules(config),
    sets: config.sets.map(({ name, prefixes, domains }) => ({ name, prefixes, domains })),
    policies: gateways.map(({ id, family, link, snat, onlink }) => ({
      ...{ id, family, link },
      ...{ snat, onlink },
    })),
    inbound: planInbound(gateways, outside),
    clamps: planClamps(config, environment, used),
    ...planOwn(config, environment, { gateways, outside }),
  };
}
