// lvsj status, gateway, service, connection and rule on a director with a configuration and real clients.
// Needs root.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type {
  ConnectionState,
  GatewayState,
  RuleState,
  ServiceState,
  StatusState,
} from '../../src/model/state.ts';
import { DirectorLab, gatewayOf, seen, serverAddress } from './director-lab.ts';

const lab = new DirectorLab('readers');
const file = `/run/lvsj-readers-${process.pid}.yaml`;

/** waits has no next hop: its link is not there. */
const configuration = `
lan: [eth0]
gateways:
  fiber: { link: eth1, via: { ipv4: ${gatewayOf[4].isp1}, ipv6: "${gatewayOf[6].isp1}" } }
  lte: { link: eth2, via: ${gatewayOf[4].isp2}, snat: ${seen[4].isp2} }
  waits: { link: ppp7, via: auto }
services:
  web:
    fwmark: 1
    scheduler: wrr
    gateways: { fiber: { weight: 3 }, lte: 1, waits: 1 }
rules:
  - { name: web, from: 10.0.0.0/24, proto: tcp, dport: 80, service: web }
  - { name: rest, service: main }
`;

const read = <T>(words: string): T => JSON.parse(lab.lvsj(`${words} --json`)) as T;
const status = (): StatusState => read('status');
const connections = (filter = ''): ConnectionState[] =>
  read(['connection', filter].filter((words) => words !== '').join(' '));
const count = (words: string): string => lab.lvsj(`connection ${words} --count`).trim();

describe('the readers', { timeout: 120_000 }, () => {
  before(async () => {
    await lab.up();
    lab.run('director', ['sh', '-c', `cat > ${file}`], configuration);
    lab.lvsj(`apply ${file}`);
    assert.deepEqual(lab.connect(4, { count: 40 }), { [seen[4].isp1]: 30, [seen[4].isp2]: 10 });
    lab.connect(6, { count: 4 });
  });
  after(async () => {
    lab.tryRun('director', ['rm', '-f', file]);
    await lab.down();
  });

  test('status names the configuration, the gateways, and why one has no connections', () => {
    const { config, daemon, gateways } = status();
    assert.deepEqual([config?.file, config?.generation, config?.confirmBy], [file, 1, null]);
    assert.equal(daemon, null);
    assert.deepEqual(
      gateways.map(({ name, address, unavailable }) => [name, address, unavailable]),
      [
        ['fiber', gatewayOf[4].isp1, ''],
        ['fiber', gatewayOf[6].isp1, ''],
        ['lte', gatewayOf[4].isp2, ''],
        ['waits', '', 'there is no link ppp7'],
      ],
    );
    const text = lab.lvsj('status');
    assert.match(text, new RegExp(`^configuration  ${file}, generation 1, since 2`, 'm'));
    assert.match(text, /^ {6}- {2}waits +- +ppp7 {2}there is no link ppp7$/m);
  });

  test('status says how long an unconfirmed configuration has', () => {
    lab.lvsj(`apply ${file}`);
    const { status: code } = lab.tryLvsj(`apply ${file} --confirm 300`);
    assert.equal(code, 0);
    const until = Date.parse(status().config?.confirmBy ?? '') - Date.now();
    assert.ok(until > 200_000 && until <= 300_000, `${until} ms`);
    assert.match(lab.lvsj('status'), /unless you run lvsj confirm\n/);
    lab.lvsj('confirm');
    assert.equal(status().config?.confirmBy, null);
  });

  test('gateways are told by name in both families, and by address in one', () => {
    const names = (words: string) =>
      read<GatewayState[]>(`gateway ${words}`).map(({ name, family }) => `${name} ${family}`);
    assert.deepEqual(names('fiber'), ['fiber 4', 'fiber 6']);
    assert.deepEqual(names(gatewayOf[4].isp1), ['fiber 4']);
    assert.deepEqual(names(`${gatewayOf[4].isp2}%eth2`), ['lte 4']);
    const [lte] = read<GatewayState[]>('gateway lte');
    assert.deepEqual([lte?.snat, lte?.totals.connections], [seen[4].isp2, 10]);
    assert.match(lab.lvsj('gateway lte'), /^source address +203\.0\.113\.2$/m);
  });

  test('services have their gateways with both weights', () => {
    const weights = () => {
      const [web] = read<ServiceState[]>('service web');
      return web?.gateways.map((each) => `${each.gateway} ${each.weight} ${each.effectiveWeight}`);
    };
    assert.deepEqual(weights(), ['fiber 3 3', 'lte 1 1', 'waits 1 0']);
    assert.match(lab.lvsj('service 1'), /^web: fwmark 1, IPv4, wrr, on-down reset$/m);
    lab.lvsj('gateway fiber drain');
    assert.deepEqual(weights(), ['fiber 3 0', 'lte 1 1', 'waits 1 0']);
    assert.match(lab.lvsj('service'), /^ {2}fiber +192\.0\.2\.1 +0 of 3 /m);
  });

  test('a drained gateway gets no connection until it is enabled again', () => {
    lab.lvsj('gateway fiber drain');
    assert.deepEqual(lab.connect(4, { count: 4 }), { [seen[4].isp2]: 4 });
    assert.match(lab.lvsj('gateway'), /^fiber .* drained$/m);
    lab.lvsj(`gateway ${gatewayOf[6].isp1} enable`);
    assert.deepEqual(
      status().gateways.map(({ admin }) => admin),
      ['enabled', 'enabled', 'enabled', 'enabled'],
    );
    assert.equal(lab.connect(4, { count: 4 })[seen[4].isp1], 3);
  });

  test('a disabled gateway has no connection at all, and its number back when it is enabled', async () => {
    const before = status().gateways;
    lab.lvsj('gateway fiber drain');
    const download = lab.download(4, 50_000_000, 200_000);
    await download.started;
    lab.lvsj('gateway lte disable');
    assert.equal(status().gateways.find(({ name }) => name === 'lte')?.present, false);
    assert.match(lab.lvsj('gateway'), /^lte .* disabled$/m);
    assert.equal((await download.result).ok, false);
    for (const name of ['fiber', 'lte']) lab.lvsj(`gateway ${name} enable`);
    assert.deepEqual(status().gateways, before);
    assert.equal(lab.connect(4, { count: 4 })[seen[4].isp2], 1);
  });

  test('a gateway of nobody is told nothing', () => {
    const { status: code, stderr } = lab.tryLvsj('gateway fibre drain');
    assert.match(`${code} ${stderr}`, /^1 gateway fibre: .* no such gateway/);
  });

  test('connections are filtered and counted', () => {
    const all = connections();
    assert.equal(all.length, status().connections.now);
    for (const [words, expected] of [
      ['--gateway lte', all.filter(({ gatewayName }) => gatewayName === 'lte')],
      [`--gateway ${gatewayOf[6].isp1}`, all.filter(({ family }) => family === 6)],
      ['--service web --protocol tcp --port 80', all],
      [`--client ${lab.clients(4)[0]}`, all.filter(({ client }) => client === lab.clients(4)[0])],
      [`--server ${serverAddress[4]}/16`, all.filter(({ family }) => family === 4)],
      ['--protocol udp', []],
    ] as const) {
      assert.equal(connections(words).length, expected.length, words);
      assert.equal(count(words), `${expected.length} connections, 0 templates`);
    }
    assert.deepEqual(
      [...new Set(all.map(({ serviceName, reason }) => `${serviceName} ${reason}`))],
      ['web scheduler'],
    );
  });

  test('connections beyond the limit are counted, and none are held back from programs', () => {
    const all = connections().length;
    const lines = lab.lvsj('connection --limit 5').trimEnd().split('\n');
    assert.equal(lines.length, 8);
    assert.match(lines.at(-1) as string, new RegExp(`^… and ${all - 5} more; `));
    assert.equal(lab.lvsj('connection --limit 0').trimEnd().split('\n').length, all + 1);
    assert.equal(connections('--limit 5').length, 5);
  });

  test('a reader that has seen enough ends the listing without a word', () => {
    const script =
      'lvsj connection --json 2>&1 | head -n 1; lvsj connection --limit 0 2>&1 | head -n 1';
    assert.match(lab.director(script), /^\[\nprotocol .*\n$/);
  });

  test('rules have counted the connections that they decided', () => {
    const counted = read<RuleState[]>('rule').map(({ name, service, packets, at }) => [
      ...[name, service, packets, at],
    ]);
    const [web, rest] = counted;
    assert.deepEqual(web?.slice(0, 2), ['web', 'web']);
    assert.deepEqual(rest?.slice(0, 2), ['rest', 'main']);
    assert.ok(Number(web?.[2]) >= 44, String(web?.[2]));
    assert.equal(web?.[3], `${file}:13`);
    assert.match(lab.lvsj('rule'), /^web +web +\d+ +\S+ +\S+:13$/m);
  });

  test('no colour without a terminal, unless somebody asks for it', () => {
    const esc = String.fromCharCode(27);
    assert.ok(!lab.lvsj('gateway').includes(esc));
    assert.ok(lab.director('FORCE_COLOR=1 lvsj gateway').includes(`${esc}[32menabled${esc}[39m`));
  });
});
