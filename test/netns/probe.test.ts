// Probes of real gateways: by their own link and no other, each kind, in each kind of trouble. Needs root.
//
//   lan eth0 ── eth0 director eth1 ── eth0 isp1 eth1 ── eth1 internet
//                             eth2 ── eth0 isp2 eth1 ── eth2

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { type Fault, type FaultSpec, setFault } from '../../src/lab/fault.ts';
import type { Isp } from '../../src/lab/topology.ts';
import type { ProbeConfig } from '../../src/model/config.ts';
import { everything, gateways } from './config-lab.ts';
import { families, gatewayOf, serverAddress, urlHost } from './director-lab.ts';
import { beyond, nameServer, ofAll, ProbeLab, page, target } from './probe-lab.ts';

/** A second gateway of the first one's link, at which nobody is. */
const nobody = '192.0.2.99';
const config = `${gateways}
  spare: { link: eth1, via: { ipv4: ${nobody} } }
${everything.replace('rules:', '  rest: { fwmark: 2, scheduler: rr, gateways: { spare: 1 } }\nrules:')}`;

/** Names that do not exist, and a server that is no use for the others. */
const oddServer = {
  port: 5353,
  words: (folder: string) =>
    `dnsmasq --port=5353 --no-hosts --no-resolv --user=root --bind-interfaces --listen-address=${nameServer[4]} ` +
    `--pid-file=${folder}/odd-dns.pid --address=/nx.example/`,
};

const neighbour: ProbeConfig = { kind: 'neighbour' };
/** With those that ask no further than the next hop. */
const all = (family: 4 | 6): ProbeConfig[] => [...beyond(family), neighbour];

describe('probes of gateways', { timeout: 120_000 }, () => {
  const lab = new ProbeLab('probe');
  const [, isp2] = lab.lab.isps as [Isp, Isp];
  let fault: Fault | undefined;
  const setIsp2 = async (spec: FaultSpec): Promise<void> => {
    fault = await setFault(lab.lab, isp2, spec);
  };

  before(async () => {
    await lab.up();
    lab.apply(config);
  });
  after(() => lab.down());
  afterEach(async () => {
    await fault?.heal();
    fault = undefined;
  });

  test('are all answered by each link where nothing is wrong', () => {
    assert.deepEqual(lab.problems(ofAll(all)), []);
    lab.assertNoStrays();
  });

  test('do not follow a route of the main table to the same host by another link', () => {
    const hosts = families.flatMap((family) => [serverAddress[family], nameServer[family]]);
    const route = (verb: string): string =>
      hosts
        .map((to) => `ip route ${verb} ${to} via ${gatewayOf[to.includes(':') ? 6 : 4].isp2}`)
        .join('\n');
    lab.director(route('add'));
    lab.sent();
    try {
      assert.deepEqual(lab.problems(ofAll(all, ['isp1'])), []);
    } finally {
      lab.director(route('del'));
    }
    const { isp1, isp2: other } = lab.sent();
    assert.deepEqual({ some: isp1 > 0, other }, { some: true, other: 0 });
  });

  test('fail beyond a provider that forwards nothing, and its router still answers', async () => {
    await setIsp2({ kind: 'blackhole' });
    const problems = lab.problems(ofAll(all));
    const silent = ['ping', 'tcp', 'dns', 'http', 'http'].map(
      (kind) => `${kind}: silent (no answer in 1500 ms)`,
    );
    assert.deepEqual(
      problems,
      [4, 6].flatMap((family) => silent.map((s) => `isp2/${family} ${s}`)),
    );
  });

  test('say so when the router of a provider is dead, also while the kernel still believes in it', async () => {
    await setIsp2({ kind: 'router' });
    const problems = lab.problems(ofAll(() => [neighbour]));
    assert.deepEqual(problems, [
      'isp2/4 neighbour: silent (no answer in 1500 ms)',
      'isp2/6 neighbour: silent (no answer in 1500 ms)',
    ]);
  });

  test('find a captive portal wrong while pings pass', async () => {
    await setIsp2({ kind: 'portal' });
    const probes = (family: 4 | 6) => [
      ...beyond(family).slice(0, 2),
      page(`http://${urlHost[family]}/`),
    ];
    assert.deepEqual(lab.problems(ofAll(probes)), [
      'isp2/4 http: wrong (status 302 instead of 200)',
      'isp2/6 http: wrong (status 302 instead of 200)',
    ]);
  });

  test('take that a name does not exist for an answer, and a server that says no for none', () => {
    lab.run('internet', oddServer.words(lab.folder).split(' '));
    const ask = (name: string): ProbeConfig => ({
      ...{ kind: 'dns', address: nameServer[4], port: oddServer.port },
      name,
    });
    const probes = [ask('nx.example'), ask('www.example'), page('http://nx.example/')];
    const change = { resolvers: [`${nameServer[4]}:${oddServer.port}`] };
    assert.deepEqual(lab.problems([{ target: target('isp1', 4, change), probes }]), [
      'isp1/4 dns: wrong (REFUSED for www.example)',
      `isp1/4 http: wrong (no address of nx.example: ${nameServer[4]} says NXDOMAIN)`,
    ]);
  });

  test('go by the gateway of their mark where a link has several', () => {
    const route = lab.director(`ip route show table all | grep 'via ${nobody} '`);
    const [, id] = /table 20(\d+)/.exec(route) ?? [];
    const mark = Number(id) * 2 ** 24;
    const spare = target('isp1', 4, {
      gateway: 'spare',
      nextHop: nobody,
      mark,
      firstOfLink: false,
    });
    const probes = beyond(4).filter(({ kind }) => kind !== 'ping');
    const first = { target: target('isp1', 4), probes };
    const problems = lab.problems([first, { target: spare, probes }]);
    assert.deepEqual(
      problems,
      ['tcp', 'dns', 'http', 'http'].map(
        (kind) => `spare/4 ${kind}: silent (no answer in 1500 ms)`,
      ),
    );
  });

  test('ask nobody for an address on a link without neighbours', () => {
    lab.director('ip link set eth2 arp off');
    try {
      const problems = lab.problems(ofAll(() => [neighbour], ['isp2']));
      const expected = families.map((f) => `isp2/${f} neighbour: void (eth2 has no neighbours)`);
      assert.deepEqual(problems, expected);
    } finally {
      lab.director('ip link set eth2 arp on');
    }
  });

  test('believe a page by HTTPS only with a certificate that they trust', async () => {
    const certificate = await lab.serveTls();
    const probes = [page(`https://${urlHost[4]}:8443/`), page('https://www.example.org:8443/')];
    const askings = [{ target: target('isp1', 4), probes }];
    const untrusted = 'isp1/4 http: wrong (TLS: self-signed certificate)';
    assert.deepEqual(lab.problems(askings), [untrusted, untrusted]);
    const problems = lab.problems(askings, { env: [`NODE_EXTRA_CA_CERTS=${certificate}`] });
    assert.equal(problems.length, 1, 'the address is in it, the name is not');
    assert.match(problems.join(), /http: wrong \(TLS: .*www\.example\.org/);
  });

  test('of many gateways in rounds that overtake each other leave nothing open', () => {
    const many = 40;
    const mute: ProbeConfig = { kind: 'dns', address: nobody, port: 53, name: 'www.example.org' };
    const probes = [...beyond(4).filter(({ kind }) => kind !== 'ping'), mute];
    const askings = Array.from({ length: many }, () => ({ target: target('isp1', 4), probes }));
    const { results, leaked } = lab.ask(askings, { timeoutMs: 3000, rounds: 3 });
    const answered = results.flat().filter(({ outcome }) => outcome === 'ok').length;
    assert.deepEqual({ answered, leaked }, { answered: many * (probes.length - 1), leaked: 0 });
  });
});
