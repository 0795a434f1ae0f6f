// lvsj apply in a lab: what the configuration says is what packets meet, and nothing of it costs a connection.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { after, afterEach, before, describe, test } from 'node:test';
import type { PlanState, RuleState } from '../../src/model/state.ts';
import { waitUntil } from '../../src/util/wait-until.ts';
import { DirectorLab, families, seen } from './director-lab.ts';

const lab = new DirectorLab('apply');
const folder = mkdtempSync(`${tmpdir()}/lvsj-apply-`);
const file = `${folder}/lvsj.yaml`;

interface Wish {
  fiber?: number;
  lte?: number;
  rules?: string;
  more?: string;
}

/** Two providers of both families and a rule for the whole LAN. */
function configOf({ fiber = 3, lte = 1, rules = '', more = '' }: Wish = {}): string {
  return `
gateways:
  fiber: { link: eth1, via: { ipv4: 192.0.2.1, ipv6: "2001:db8:1::1" } }
  lte: { link: eth2, via: { ipv4: 203.0.113.1, ipv6: "2001:db8:2::1" } }
services:
  web: { fwmark: 1, scheduler: wrr, gateways: { fiber: ${fiber}, lte: ${lte} } }
rules:
${rules}
  - { name: lan, from: [10.0.0.0/24, "2001:db8:10::/64"], service: web }
${more}`;
}

function apply(wish: Wish, words = ''): PlanState {
  writeFileSync(file, configOf(wish));
  return JSON.parse(lab.lvsj(`apply ${file} --json${words}`)) as PlanState;
}

const plan = (): PlanState => JSON.parse(lab.lvsj(`plan ${file} --json`)) as PlanState;

const counted = (name: string): number => {
  const rules = JSON.parse(lab.lvsj('rule --json')) as RuleState[];
  return rules.find((rule) => rule.name === name)?.packets ?? -1;
};

const shared = (family: 4 | 6, isp1: number, isp2: number) => ({
  [seen[family].isp1]: isp1,
  [seen[family].isp2]: isp2,
});

describe('lvsj apply', { timeout: 120_000 }, () => {
  before(() => lab.up());
  after(async () => {
    await lab.down();
    rmSync(folder, { recursive: true });
  });
  afterEach(() => lab.assertNoStrays());

  test('shares connections as the file says, with each link’s own address', () => {
    apply({});
    for (const family of families)
      assert.deepEqual(lab.connect(family, { count: 40 }), shared(family, 30, 10));
  });

  test('changes nothing the second time', () => {
    apply({});
    assert.deepEqual(plan().changes, []);
    assert.deepEqual(apply({}).changes, []);
  });

  test('tells a change of weight and makes it, and no connection moves', async () => {
    apply({});
    const download = lab.download(4, 400_000, 200_000);
    await download.started;
    const { changes, connections } = apply({ lte: 3 });
    assert.deepEqual(
      changes.map(({ verb, detail }) => [verb, detail]),
      [
        ['change', 'weight 1 -> 3'],
        ['change', 'weight 1 -> 3'],
      ],
    );
    assert.ok(connections.total > 0);
    assert.deepEqual([connections.move, connections.cut], [0, 0]);
    assert.deepEqual(lab.connect(4, { count: 40 }), shared(4, 20, 20));
    assert.equal((await download.result).bytes, 400_000);
  });

  test('keeps what rules have counted when another one is added', () => {
    apply({});
    lab.connect(4, { count: 10 });
    const before = counted('lan');
    apply({ rules: '  - { name: none, from: 10.99.0.0/16, service: web }' });
    assert.equal(counted('lan'), before);
    assert.equal(counted('none'), 0);
  });

  test('goes by the first rule that matches, and by the main table where it says so', () => {
    apply({ rules: '  - { from: 10.0.0.11, service: main }' });
    const [first, second] = lab.clients(4);
    lab.director('iptables -t nat -A POSTROUTING -o eth1 -j MASQUERADE');
    assert.deepEqual(lab.connect(4, { count: 8, from: [first!] }), { [seen[4].isp1]: 8 });
    assert.deepEqual(lab.connect(4, { count: 8, from: [second!] }), shared(4, 6, 2));
    lab.clearAdmin();
  });

  test('refuses a file with an error, and everything stays', () => {
    apply({});
    writeFileSync(file, configOf({ more: 'gatways: {}' }));
    const { status, stderr } = lab.tryLvsj(`apply ${file}`);
    assert.notEqual(status, 0);
    assert.match(stderr, /lvsj\.yaml:\d+:\d+: .*gatways/);
    assert.deepEqual(lab.connect(4, { count: 8 }), shared(4, 6, 2));
  });

  test('puts back what somebody else took away', () => {
    apply({});
    lab.director(`
      ip rule del priority 20901
      ip route flush table 20001
      nft flush chain inet lvsj rules`);
    assert.ok(plan().changes.every(({ verb }) => verb === 'repair'));
    apply({});
    assert.deepEqual(plan().changes, []);
    assert.deepEqual(lab.connect(4, { count: 8 }), shared(4, 6, 2));
  });

  test('is taken back unless somebody confirms', async () => {
    apply({});
    apply({ fiber: 0 }, ' --confirm 5');
    assert.deepEqual(lab.connect(4, { count: 4 }), { [seen[4].isp2]: 4 });
    writeFileSync(file, configOf());
    await waitUntil('the weights of before', () => plan().changes.length === 0);
    assert.deepEqual(lab.connect(4, { count: 8 }), shared(4, 6, 2));
  });

  test('stays if somebody does', async () => {
    apply({});
    apply({ fiber: 1 }, ' --confirm 600');
    lab.lvsj('confirm');
    assert.match(lab.tryLvsj('confirm').stderr, /nothing waits/);
    assert.deepEqual(lab.connect(4, { count: 8 }), shared(4, 4, 4));
  });

  test('keeps its rules while lvsj ipvsadm edits the table', () => {
    apply({});
    lab.lvsj('ipvsadm -e -f 1 -r 192.0.2.1 -j -w 1');
    assert.deepEqual(lab.connect(4, { count: 8 }), shared(4, 4, 4));
    assert.deepEqual(
      apply({}).changes.map(({ detail }) => detail),
      ['weight 1 -> 3'],
    );
  });

  test('keeps a drained gateway drained, whatever is applied, until it is enabled', () => {
    apply({});
    lab.lvsj('gateway fiber drain');
    assert.deepEqual(lab.connect(4, { count: 4 }), { [seen[4].isp2]: 4 });
    apply({ fiber: 5 });
    assert.deepEqual(lab.connect(4, { count: 4 }), { [seen[4].isp2]: 4 });
    lab.lvsj('gateway fiber enable');
    assert.deepEqual(lab.connect(4, { count: 12 }), shared(4, 10, 2));
  });

  test("shares the router's own connections by the service that it names for them", () => {
    const own = (family: 4 | 6, count: number) =>
      lab.connect(family, { host: 'director', from: [family === 4 ? '0.0.0.0' : '::'], count });
    for (const family of families) {
      apply({});
      assert.deepEqual(own(family, 8), { [seen[family].isp1]: 8 });
      apply({ more: 'router: web' });
      assert.deepEqual(own(family, 8), shared(family, 6, 2));
      assert.deepEqual(plan().changes, []);
    }
    apply({});
    assert.doesNotMatch(lab.director('ip rule'), /20255/);
  });

  test("leaves what the router sends from a gateway's address to that gateway", () => {
    apply({});
    for (const family of families)
      for (const address of Object.values(seen[family]))
        assert.deepEqual(lab.connect(family, { host: 'director', from: [address], count: 4 }), {
          [address]: 4,
        });
  });
});
