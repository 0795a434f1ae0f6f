// A lab whose gateways are probed: who is asked, what comes of it, and by which link it left.

import { startDns } from '../../src/lab/dns.ts';
import { inHost } from '../../src/lab/place.ts';
import { internet } from '../../src/lab/topology.ts';
import type { ProbeConfig } from '../../src/model/config.ts';
import type { Family } from '../../src/model/table.ts';
import type { ProbeTarget } from '../../src/monitor/types.ts';
import { run } from '../../src/util/run.ts';
import { ConfigLab } from './config-lab.ts';
import { families, gatewayOf, seen, serverAddress, urlHost } from './director-lab.ts';
import type { Ask, Asked, Asking } from './probe-rounds.ts';

const program = [process.execPath, `${import.meta.dirname}/probe-rounds.ts`];
export const nameServer = { 4: internet.ipv4[1], 6: internet.ipv6[1] } as const;
const isps = ['isp1', 'isp2'] as const;
export type IspName = (typeof isps)[number];

export const page = (url: string, body = ''): ProbeConfig => ({
  kind: 'http',
  url,
  status: [200],
  body,
});

/** Whatever can be asked beyond a gateway; all of it is answered where nothing is wrong. */
export const beyond = (family: Family): ProbeConfig[] => [
  { kind: 'ping', address: serverAddress[family] },
  { kind: 'tcp', address: serverAddress[family], port: 80 },
  { kind: 'dns', address: nameServer[family], port: 53, name: 'www.example.org' },
  page(`http://${urlHost[family]}/`, '\n'),
  page('http://www.example.org:8080/conn', 'address'),
];

export function target(
  isp: IspName,
  family: Family,
  change: Partial<ProbeTarget> = {},
): ProbeTarget {
  return {
    gateway: isp,
    link: isp.replace('isp', 'eth'),
    family,
    nextHop: gatewayOf[family][isp],
    source: seen[family][isp],
    mark: 0,
    firstOfLink: true,
    resolvers: [nameServer[family]],
    ...change,
  };
}

/** These probes of each gateway and family. */
export const ofAll = (probes: (family: Family) => ProbeConfig[], of = [...isps]): Asking[] =>
  of.flatMap((isp) =>
    families.map((family) => ({ target: target(isp, family), probes: probes(family) })),
  );

interface AskOptions {
  timeoutMs?: number;
  rounds?: number;
  /** Variables of the program, `NAME=value`. */
  env?: string[];
  /** A process whose mount namespace it runs in. */
  pid?: string;
}

export class ProbeLab extends ConfigLab {
  override async up(): Promise<void> {
    await super.up();
    startDns(this.lab);
    for (const isp of isps) this.run(isp, ['nft', '-f', '-'], countTable);
  }

  ask(askings: Asking[], options: AskOptions = {}): Asked {
    const { timeoutMs = 1500, rounds = 1, env = [], pid } = options;
    const input = JSON.stringify({ askings, timeoutMs, rounds } satisfies Ask);
    const enter = pid === undefined ? [] : ['nsenter', '-m', '-t', pid];
    const argv = [...enter, 'env', ...env, ...program];
    return JSON.parse(run(inHost(this.name, 'director', argv), { input })) as Asked;
  }

  /** What was not as it should be: `isp1/4 tcp: silent (no answer in 1000 ms)`. */
  problems(askings: Asking[], options: AskOptions = {}): string[] {
    const { results } = this.ask(askings, options);
    return askings.flatMap(({ target: { gateway, family } }, i) =>
      (results[i] ?? []).flatMap(({ probe, outcome, detail }) =>
        outcome === 'ok' ? [] : [`${gateway}/${family} ${probe.kind}: ${outcome} (${detail})`],
      ),
    );
  }

  /** Starts a server at 8443 of the internet host, with a certificate that it made itself; its file. */
  async serveTls(): Promise<string> {
    const [key, certificate] = [`${this.folder}/tls.key`, `${this.folder}/tls.crt`];
    const make =
      'openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=lab';
    const names = `subjectAltName=IP:${internet.ipv4[0]}`;
    run([...make.split(' '), '-addext', names, '-keyout', key, '-out', certificate]);
    const script = `const { readFileSync } = require('node:fs');
      const [key, cert] = ['${key}', '${certificate}'].map((file) => readFileSync(file));
      const server = require('node:https').createServer({ key, cert }, (_, reply) => reply.end());
      server.listen(8443, () => console.log('ready'));`;
    await this.start('internet', [process.execPath, '-e', script]).started;
    return certificate;
  }

  /** Packets for beyond that came to each ISP since last asked. */
  sent(): Record<IspName, number> {
    const count = (isp: IspName): number => {
      const listing = this.run(isp, ['nft', 'reset', 'counters', 'table', 'inet', 'sent']);
      return Number(/packets (\d+)/.exec(listing)?.[1]);
    };
    return { isp1: count('isp1'), isp2: count('isp2') };
  }
}

const countTable = `table inet sent {
  counter beyond {
  }
  chain prerouting {
    type filter hook prerouting priority raw;
    iifname eth0 ip daddr { ${internet.ipv4.join(', ')} } counter name beyond
    iifname eth0 ip6 daddr { ${internet.ipv6.join(', ')} } counter name beyond
  }
}\n`;
