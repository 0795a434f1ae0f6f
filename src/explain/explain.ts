// Why a connection takes its gateway: the walk of its first packet, in the order in which the kernel does
// it: connection table, rules, routes, director. Pure: what the kernel knows comes from `source`.

import ipaddr from 'ipaddr.js';
import { mainService, type RuleConfig } from '../model/config.ts';
import type {
  Candidate,
  Decision,
  ExplainedEntry,
  ExplainedGateway,
  ExplainedPacket,
  ExplainedService,
  Explanation,
} from '../model/explanation.ts';
import type { ServiceKey } from '../model/table.ts';
import { resolverPorts, resolverProtocols } from '../plan/resolvers.ts';
import { UserError } from '../util/error.ts';
import { explainCandidates, explainGateway, gatewayName } from './gateways.ts';
import { findRules } from './rules.ts';
import type { DryRun, Entry, FoundRoute, Source } from './source.ts';

export interface Question {
  /** link: undefined where the main table shall tell it. */
  packet: Omit<ExplainedPacket, 'link'> & { link?: string | undefined };
  /** As if it had this mark, whatever the rules say. */
  fwmark?: number | undefined;
}

/** What is to be decided, and where one case was found. */
interface Case {
  condition?: string;
  rule?: RuleConfig | undefined;
  /** 0: none. */
  fwmark: number;
  /** See Decision: said where there is no fwmark. */
  because?: string;
  /** A gateway that comes before all services: it has its address, or asks its resolver. */
  fixed?: { reason: 'bound' | 'resolver'; gateway: ExplainedGateway | null };
}

const nameEntry = (source: Source, { gatewayId, ...entry }: Entry): ExplainedEntry => ({
  ...entry,
  gatewayName: gatewayName(source, gatewayId),
});

function explainService(source: Source, { family, fwmark }: ServiceKey): ExplainedService {
  const service = source.services.find((each) => each.fwmark === fwmark && each.family === family);
  const config = source.applied?.config.services.find((each) => each.fwmark === fwmark);
  return {
    name: config?.name ?? '',
    fwmark,
    scheduler: service?.scheduler ?? '',
    persistence: service?.persistence ?? 0,
    persistenceKey: service?.persistenceKey ?? 'source',
  };
}

class Explainer {
  readonly #source: Source;
  readonly #packet: ExplainedPacket;
  /** What is so whatever the service: does the connection live already? */
  readonly #unmarked: DryRun;

  constructor(source: Source, packet: ExplainedPacket) {
    this.#source = source;
    this.#packet = packet;
    this.#unmarked = source.dryRun({ family: packet.family, fwmark: 0 }, packet);
  }

  explain(fwmark: number | undefined): Explanation {
    const { connection } = this.#unmarked;
    const cases = fwmark === undefined ? this.#findCases() : [{ fwmark }];
    return {
      packet: this.#packet,
      connection: connection ? nameEntry(this.#source, connection) : null,
      decisions: cases.map((each) => this.#decide(each)),
    };
  }

  /** The cases of which the first one holds whose condition does. */
  #findCases(): Case[] {
    const because = this.#findBypass();
    if (because !== '') return [{ fwmark: 0, because }];
    const { applied } = this.#source;
    const resolver = this.#findResolver();
    if (resolver) return [resolver];
    if (this.#packet.link === '') return [this.#findOwn()];
    if (!applied) return this.#findMarks();
    const { rules, sets } = applied.config;
    const found = findRules({
      ...{ packet: this.#packet, rules, sets },
      readDomains: (set, family) => this.#source.readDomains(set, family),
    });
    return found.map((rule) => ({
      rule,
      fwmark: this.#markOf(rule?.service ?? ''),
      condition: rule?.nft ? `it matches ${rule.nft}` : '',
      because: rule ? `the rule says ${mainService}` : 'no rule matches',
    }));
  }

  /** Routes that are more than a default come first; most often that of the resolver's own link. */
  #findResolver(): Case | undefined {
    const { family, protocol, server, serverPort } = this.#packet;
    if (!resolverProtocols.includes(protocol) || !resolverPorts.includes(serverPort))
      return undefined;
    const resolver = this.#source.applied?.objects.resolvers?.find(
      (each) => each.family === family && each.addresses.includes(server),
    );
    // What lives goes on as it began.
    if (!resolver || this.#unmarked.verdict === 'known') return undefined;
    const gateway = explainGateway(this.#source, resolver.id, this.#packet);
    const route = this.#source.findRoute(this.#packet, 0);
    if (route && !['default', ''].includes(route.to) && route.link !== gateway?.link)
      return { fwmark: 0, because: describeOther(route) };
    return { fwmark: 0, fixed: { reason: 'resolver', gateway } };
  }

  /** The router's own: no rule is asked, and the kernel's route tells all. See docs/router.md. */
  #findOwn(): Case {
    const router = this.#source.applied?.objects.router;
    const route = this.#source.findRoute(this.#packet, 0);
    if (route?.type === 'director') return { fwmark: router?.fwmark ?? 0 };
    if (route && route.gateway !== 0)
      return { fwmark: 0, fixed: { reason: 'bound', gateway: this.#bindTo(route.gateway) } };
    if (route && route.to !== 'default') return { fwmark: 0, because: describeOther(route) };
    const from = router?.sources[this.#packet.family];
    return {
      fwmark: 0,
      because: from
        ? `of the router's own connections, only those from ${from} are shared out`
        : "the router's own connections are not shared out",
    };
  }

  /** Without a configuration the marks are the admin's. */
  #findMarks(): Case[] {
    const { services } = this.#source;
    const marks = services
      .filter(({ family }) => family === this.#packet.family)
      .map(({ fwmark }) => ({ fwmark, condition: `its fwmark is ${fwmark}` }));
    return [...marks, { fwmark: 0, because: 'no service has its fwmark' }];
  }

  /** 0 for `main` and for none. */
  #markOf(name: string): number {
    const services = this.#source.applied?.config.services ?? [];
    return name === mainService ? 0 : (services.find((each) => each.name === name)?.fwmark ?? 0);
  }

  /** Why no rule is asked; '' if the rules are. */
  #findBypass(): string {
    const { server } = this.#packet;
    const range = ipaddr.parse(server).range();
    if (range === 'multicast' || range === 'broadcast') return `it goes to a group (${range})`;
    const route = this.#source.findRoute(this.#packet, 0);
    if (route?.type === 'local') return `${server} is the router itself`;
    if (route?.type === 'broadcast') return `it goes to a group (${route.type})`;
    return this.#findForeignLink();
  }

  #findForeignLink(): string {
    const { link, family } = this.#packet;
    const objects = this.#source.applied?.objects;
    if (!objects || link === '') return '';
    const { lan, outside, inbound } = objects;
    if (outside.includes(link)) {
      const id = inbound.find((each) => each.link === link && each.family === family)?.id ?? 0;
      const name = gatewayName(this.#source, id) || 'a gateway';
      return `it comes in by ${link}, the link of ${name}; its answers leave by that link`;
    }
    return lan.length === 0 || lan.includes(link)
      ? ''
      : `${link} is none of the LAN's links: ${lan.join(', ')}`;
  }

  #decide({ condition = '', rule, fwmark, because = '', fixed }: Case): Decision {
    const key = { family: this.#packet.family, fwmark };
    const known = this.#unmarked.verdict === 'known';
    const base: Decision = {
      condition,
      rule: rule ? { name: rule.name, at: rule.at, nft: rule.nft } : null,
      service: fwmark === 0 ? null : explainService(this.#source, key),
      ...{ verdict: '', reason: '', template: null, candidates: [], gateway: null },
      because,
      route: '',
    };
    if (fixed) return { ...base, ...fixed };
    const byMain = (why: string): Decision => ({
      ...base,
      because: why,
      route: this.#describeRoute(0),
    });
    // A connection that lives keeps its gateway whatever the rules say; the kernel's routes come before both.
    if (fwmark === 0 && !known) return byMain(because);
    if (base.service?.scheduler === '' && !known)
      return byMain(`the director has no IPv${key.family} service of fwmark ${fwmark}`);
    const other = this.#findOtherRoute(fwmark);
    if (other) return byMain(other);
    const answer = known ? this.#unmarked : this.#source.dryRun(key, this.#packet);
    return { ...base, ...this.#explainAnswer(key, answer) };
  }

  #explainAnswer(key: ServiceKey, { verdict, reason, template, gateway }: DryRun) {
    const source = this.#source;
    const ending = endings[verdict];
    const none = ending !== undefined;
    const candidates =
      verdict === 'known' ? [] : explainCandidates(source, key, { gateway, reason });
    return {
      ...{ verdict, reason, candidates },
      template: template ? nameEntry(source, template) : null,
      gateway: none ? null : explainGateway(source, gateway, this.#packet),
      because: none ? `${whyNone(candidates)}${ending}` : '',
      route: ending === '' ? this.#describeRoute(0) : '',
    };
  }

  /** The kernel's own answer for a packet with this mark: internal routes and others' rules come first. */
  #findOtherRoute(fwmark: number): string {
    const route =
      this.#packet.link === ''
        ? undefined
        : this.#source.findRoute(this.#packet, fwmark || this.#anyMark());
    return route && route.type !== 'director' ? describeOther(route) : '';
  }

  /** It has its source address already. */
  #bindTo(id: number): ExplainedGateway | null {
    const gateway = explainGateway(this.#source, id, this.#packet);
    return gateway && { ...gateway, source: this.#packet.client };
  }

  /** Of a living connection that no rule marks: internal routes are the same for each. */
  #anyMark(): number {
    const { services } = this.#source;
    return services.find(({ family }) => family === this.#packet.family)?.fwmark ?? 0;
  }

  #describeRoute(fwmark: number): string {
    const route = this.#source.findRoute(this.#packet, fwmark);
    if (!route) return 'none: unreachable';
    if (route.type === 'refused') return 'none: refused';
    const via = route.via === '' ? '' : ` via ${route.via}`;
    return `${route.type === 'unicast' ? '' : `${route.type} `}${route.to}${via} dev ${route.link}`;
  }
}

function describeOther({ type, to }: FoundRoute): string {
  if (type === 'refused') return 'a route refuses it';
  return to === 'default'
    ? "another's policy rule comes before the director's"
    : `${to} has a route of its own`;
}

function whyNone(candidates: readonly Candidate[]): string {
  if (candidates.length === 0) return 'the service has no gateway';
  return candidates.some(({ refused }) => refused === '')
    ? 'the one that the scheduler picks is refused, and it takes no other'
    : 'all gateways are refused';
}

/** What becomes of a connection without a gateway, by verdict; '' where it goes on by the main table. */
const endings: Record<string, string> = {
  ...{ no_gateway: '', no_service: '' },
  unreachable: '; the client is told (last-resort unreachable)',
  dropped: '; it ends here (last-resort drop)',
};

/** '' for an address of the router's own. */
function findLink(source: Source, client: string): string {
  const found = source.findLink(client);
  if (!found)
    throw new UserError(
      `${client}: the main table has no route back to it; --link IN says by which link it comes`,
    );
  return found.local ? '' : found.link;
}

export function explain({ packet, fwmark }: Question, source: Source): Explanation {
  const links = source.environment.links.map(({ name }) => name);
  if (packet.link !== undefined && !links.includes(packet.link))
    throw new UserError(`there is no link ${packet.link}; there are ${links.join(', ')}`);
  const link = packet.link ?? findLink(source, packet.client);
  return new Explainer(source, { ...packet, link }).explain(fwmark);
}
