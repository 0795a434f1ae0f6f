// lvsj explain in a lab, against what real clients then meet.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { after, before, describe, test } from 'node:test';
import type { Decision, Explanation } from '../../src/model/explanation.ts';
import { DirectorLab, families, seen, serverAddress, urlHost } from './director-lab.ts';

const lab = new DirectorLab('explain');
const folder = mkdtempSync(`${tmpdir()}/lvsj-explain-`);
const file = `${folder}/lvsj.yaml`;

const config = `router: own
gateways:
  fiber: { link: eth1, via: { ipv4: 192.0.2.1, ipv6: "2001:db8:1::1" } }
  lte: { link: eth2, via: { ipv4: 203.0.113.1, ipv6: "2001:db8:2::1" } }
services:
  web: { fwmark: 1, scheduler: rr, gateways: { fiber: 1, lte: 1 } }
  own: { fwmark: 2, scheduler: rr, gateways: { fiber: 1, lte: 1 } }
rules:
  - { name: lan, from: [10.0.0.0/24, "2001:db8:10::/64"], proto: tcp, service: web }
`;

/** Of the director on its own links. */
const own = { 4: '10.0.0.1', 6: '2001:db8:10::1' } as const;

const explain = (words: string): Explanation =>
  JSON.parse(lab.lvsj(`explain ${words} --json`)) as Explanation;

function decisionOf(words: string): Decision {
  const { decisions } = explain(words);
  assert.equal(decisions.length, 1);
  return decisions[0] as Decision;
}

/** The address that the server sees of a connection from this port. */
const curl = (host: string, words: string, family: 4 | 6): string =>
  lab
    .run(host, [
      'curl',
      '-sS',
      '--max-time',
      '5',
      ...words.split(' '),
      `http://${urlHost[family]}/`,
    ])
    .trim();

describe('lvsj explain', { timeout: 120_000 }, () => {
  before(async () => {
    await lab.up();
    writeFileSync(file, config);
    lab.lvsj(`apply ${file}`);
  });
  after(async () => {
    await lab.down();
    rmSync(folder, { recursive: true });
  });

  for (const family of families) {
    test(`foretells the gateway and the address of the LAN's connections in IPv${family}`, () => {
      const client = lab.clients(family)[0] as string;
      for (let port = 5000; port < 5006; port++) {
        const ends = `${client} ${serverAddress[family]} tcp ${port} 80`;
        const { gateway, rule, reason } = decisionOf(ends);
        assert.deepEqual([rule?.name, reason], ['lan', 'scheduler']);
        const address = curl('lan', `--interface ${client} --local-port ${port}`, family);
        assert.equal(gateway?.source, `${address} (masquerade)`);
        const { connection } = explain(ends);
        const { gatewayName, generation } = connection ?? {};
        assert.deepEqual([gatewayName, generation], [gateway?.name, 1]);
      }
    });

    test(`foretells the router's own connections in IPv${family}`, () => {
      // A port of one family that still waits is taken in the other too.
      for (let port = 6000 + family * 10; port < 6004 + family * 10; port++) {
        const { gateway, service } = decisionOf(
          `${own[family]} ${serverAddress[family]} tcp ${port} 80`,
        );
        const address = curl('director', `--local-port ${port}`, family);
        assert.deepEqual([gateway?.source, service?.name], [`${address} (masquerade)`, 'own']);
      }
      for (const isp of ['isp1', 'isp2'] as const) {
        const bound = seen[family][isp];
        const { gateway, reason } = decisionOf(`${bound} ${serverAddress[family]}`);
        assert.deepEqual([gateway?.source, reason], [bound, 'bound']);
        assert.equal(curl('director', `--interface ${bound}`, family), bound);
      }
    });
  }

  test('says in lines why a connection goes by the main table', () => {
    const client = lab.clients(4)[0];
    const udp = lab.lvsj(`explain ${client} ${serverAddress[4]} udp`).split('\n');
    assert.deepEqual(udp.slice(2), [
      'gateway     none: no rule matches',
      'route       default via 192.0.2.1 dev eth1',
      '',
    ]);
    const near = lab.lvsj(`explain ${client} 203.0.113.1`);
    assert.match(near, /^gateway {5}none: 203\.0\.113\.0\/24 has a route of its own$/m);
    const outside = lab.lvsj(`explain ${serverAddress[4]} ${client} --link eth2`);
    assert.match(outside, /it comes in by eth2, the link of lte; its answers leave by that link$/m);
  });

  test('takes marks where there is no configuration', () => {
    lab.lvsj('stop');
    lab.restore('-A -f 3 -s rr\n-a -f 3 -r 192.0.2.1 -j');
    const ends = `${lab.clients(4)[0]} ${serverAddress[4]}`;
    const { gateway, service } = decisionOf(`${ends} --fwmark 3`);
    assert.deepEqual([gateway?.name, service?.name], ['192.0.2.1', '']);
    assert.deepEqual(
      explain(ends).decisions.map(({ condition, because }) => [condition, because]),
      [
        ['its fwmark is 3', ''],
        ['', 'no service has its fwmark'],
      ],
    );
  });

  test('refuses what makes no sense, and says so where nothing runs', () => {
    assert.deepEqual(
      [lab.tryLvsj('explain 10.0.0.11').status, lab.tryLvsj('explain 10.0.0.11 ::1').status],
      [2, 2],
    );
    lab.lvsj('stop');
    const { status, stderr } = lab.tryLvsj(`explain 10.0.0.11 ${serverAddress[4]}`);
    assert.equal(status, 1);
    assert.match(stderr, /^not running/);
  });
});
