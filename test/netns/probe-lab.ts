// A lab in which gateways are probed: who is asked, what came of it, and by which link it left.

import type { ProbeConfig } from '../../src/model/config.ts';
import type { Family } from '../../src/model/table.ts';
import type { ProbeTarget } from '../../src/monitor/types.ts';
import { ConfigLab } from './config-lab.ts';
import { families, gatewayOf, seen, serverAddress, urlHost } from './director-lab.ts';
import type { Ask, Asked } from './probe-rounds.ts';

const program = [process.execPath, `${import.meta.dirname}/probe-rounds.ts`];
export type IspName = 'isp1' | 'isp2';

/** Everything that can be asked beyond a gateway, and all of it answered where nothing is wrong. */
export function everyKind(family: Family): ProbeConfig[] {
  const address = serverAddress[family];
  const page = { kind: 'http', status: [200], body: '' } as const;
  return [
    { kind: 'ping', address },
    { kind: 'tcp', address, port: 80 },
    { kind: 'dns', address, port: 53, name: 'nx.example.org' },
    { ...page, url: `http://${urlHost[family]}/`, body: 'isp' },
    { ...page, url: 'http://www.example.org:8080/conn' },
  ];
}

export class ProbeLab extends ConfigLab {
  target(isp: IspName, family: Family, change: Partial<ProbeTarget> = {}): ProbeTarget {
    return {
      gateway: isp,
      link: isp.replace('isp', 'eth'),
      family,
      nextHop: gatewayOf[family][isp],
      source: seen[family][isp],
      mark: 0,
      firstOfLink: true,
      resolvers: [serverAddress[family]],
      ...change,
    };
  }

  /** The mark that leads to a gateway, by its next hop. */
  markOf(nextHop: string): number {
    const [, id] =
      new RegExp(`table (?:20|200)(\\d+) .*via ${nextHop} `).exec('') ??
      this.director('ip route show table all').match(`via ${nextHop} .*table 20(\\d+)`) ??
      [];
    return Number(id) * 2 ** 24;
  }
}
