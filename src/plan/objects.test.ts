// The rules, tables and nftables table for given gateways, and what must change to get there.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { diffObjects } from './diff.ts';
import { type GatewayObject, markMatch, planObjects } from './objects.ts';

const bits = { mask: 0xff000000, shift: 24 };

const gateway = (id: number, family: 4 | 6 = 4): GatewayObject => ({
  id,
  family,
  via: family === 4 ? `192.0.2.${id}` : `2001:db8::${id}`,
  link: `eth${id}`,
  scoped: false,
});

const wanted = (gateways: GatewayObject[], fwmarks: number[] = []) => ({
  gateways,
  fwmarks,
  onePacket: [],
  families: [4 as const],
});

const rulesOf = (ids: number[], fwmarks: number[]): string[] =>
  planObjects(
    wanted(
      ids.map((id) => gateway(id)),
      fwmarks,
    ),
    bits,
  )
    .rules.toSorted((a, b) => a.priority - b.priority)
    .map(({ priority, selector, action }) => `${priority} ${selector} ${action}`);

/** The rules that a packet with this gateway id is compared with until one leads to its table. */
function looksOf(ids: number[], id: number): number {
  const rules = planObjects(wanted(ids.map((each) => gateway(each))), bits).rules.toSorted(
    (a, b) => a.priority - b.priority,
  );
  let looks = 0;
  for (let i = 0; i < rules.length; ) {
    const rule = rules[i];
    looks++;
    const [, value = 0, mask = 0] =
      /^fwmark (0x\w+|0)\/(0x\w+)$/.exec(rule?.selector ?? '')?.map(Number) ?? [];
    if (mask === 0 || (id << 24) >>> 0 === 0 || ((id << 24) & mask) >>> 0 !== value) {
      i++;
      continue;
    }
    if (rule?.action === `lookup ${20000 + id}`) return looks;
    i = rules.findIndex(({ priority }) => rule?.action === `goto ${priority}`);
    assert.ok(i > 0, `rule "${rule?.action}" leads to no rule`);
  }
  throw new Error(`gateway ${id} is not reached`);
}

describe('the plan of policy rules', () => {
  test('sends marked traffic to its gateway, the undecided to the director, the rest on', () => {
    assert.deepEqual(rulesOf([1, 2], [7, 1, 7]), [
      '20000 fwmark 0/0xffffffff goto 20999',
      '20000 iif lvsj0 goto 20101',
      '20001  lookup main suppress_prefixlength 0',
      '20101 fwmark 0x1000000/0xff000000 lookup 20001',
      '20102 fwmark 0x2000000/0xff000000 lookup 20002',
      '20400 fwmark 0xfe000000/0xfe000000 goto 20999',
      '20401 iif lvsj0 lookup main suppress_prefixlength 0',
      '20900 iif lo goto 20999',
      '20901 fwmark 0x1/0xffffff lookup 20000',
      '20901 fwmark 0x7/0xffffff lookup 20000',
      '20999  nop',
    ]);
  });

  test('has one rule for all marks where there are more than 32 services', () => {
    const fwmarks = Array.from({ length: 33 }, (_, i) => i + 1);
    const toDirector = rulesOf([], fwmarks).filter((rule) => rule.endsWith('lookup 20000'));
    assert.deepEqual(toDirector, ['20901 not fwmark 0/0xffffff lookup 20000']);
  });

  test('reaches each of 253 gateways within 35 looks', () => {
    const ids = Array.from({ length: 253 }, (_, i) => i + 1);
    const looks = ids.map((id) => looksOf(ids, id));
    assert.ok(Math.max(...looks) <= 35, `one takes ${Math.max(...looks)}`);
  });

  test('reaches gateways whose ids leave gaps', () => {
    const ids = [3, 16, 77, 78, 253];
    for (const id of ids) assert.ok(looksOf(ids, id) > 0);
  });

  test('moves all marks with the mask', () => {
    const { rules, nft } = planObjects(wanted([gateway(1)], [1]), { mask: 0xff00, shift: 8 });
    assert.ok(rules.some(({ selector }) => selector === 'fwmark 0x100/0xff00'));
    assert.ok(rules.some(({ selector }) => selector === 'fwmark 0x1/0xffff00ff'));
    assert.match(nft, /ct mark set ct mark & 0xffff00ff \| 0x100\n/);
  });

  test('always writes the mask: without one, fwmark 0 matches every packet', () => {
    assert.equal(markMatch(0, 0xffffffff), '0/0xffffffff');
  });

  test('gives a gateway one route, in its own family', () => {
    const { routes } = planObjects(wanted([gateway(1), gateway(2, 6)]), bits);
    assert.deepEqual(routes, [
      {
        family: 4,
        table: 20001,
        via: '192.0.2.1',
        link: 'eth1',
        onlink: false,
        source: '',
        teaches: false,
      },
      {
        family: 6,
        table: 20002,
        via: '2001:db8::2',
        link: 'eth2',
        onlink: false,
        source: '',
        teaches: false,
      },
    ]);
  });
});

describe('the plan of the nftables table', () => {
  const nftOf = (fwmarks: number[]) => planObjects(wanted([gateway(1)], fwmarks), bits).nft;
  const chainOf = (nft: string, name: string): string =>
    new RegExp(`^ {2}chain ${name} \\{\n(.*?)^ {2}\\}`, 'ms').exec(nft)?.[1] ?? '';

  test('asks a packet for its gateway, and a connection, once', () => {
    const nft = nftOf([1]);
    assert.match(
      chainOf(nft, 'undecided'),
      /^ +ct mark & 0xff000000 != 0 goto known\n +ct status expected,confirmed meta mark/,
    );
    assert.match(chainOf(nft, 'postrouting'), /;\n +ct mark & 0xff000000 == 0 goto save\n$/);
  });

  test('copies a mark into a connection that has none, and leaves the other bits of one that has', () => {
    const [copy, make] = chainOf(nftOf([]), 'save').trim().split(/\n +/);
    assert.equal(
      copy,
      'ct mark 0 ct mark set meta mark & 0xff000000 map { 0x1000000 : 0x1000000 } return',
    );
    assert.equal(make, 'meta mark & 0xff000000 vmap { 0x1000000 : goto save_1 }');
  });

  test('answers what is refused, also where there is no gateway', () => {
    const { nft } = planObjects(wanted([], []), { mask: 0xff00, shift: 8 });
    const refused = 'meta mark & 0xff00 == 0xfe00';
    assert.match(
      nft,
      new RegExp(
        `hook prerouting .*\\n +meta mark & 0xff00 == 0 goto undecided\\n +${refused} iifname != "lo" goto refuse\\n`,
      ),
    );
    assert.match(nft, new RegExp(`hook forward .*\\n +${refused} goto refuse\\n`));
  });

  test('leaves connections of others alone where they carry the mark of a service', () => {
    const line = 'meta mark & 0xffffff { 0x1, 0x20 } meta mark set meta mark | 0xff000000\n';
    assert.ok(nftOf([0x20, 1, 0x20]).includes(line));
  });

  test('remembers which connections a service passed on, with their first packet alone', () => {
    const line =
      'ct status & confirmed == 0 meta mark { 0xff000001, 0xff000020 } ct mark set ct mark | 0xff000000\n';
    assert.ok(nftOf([0x20, 1, 0x20]).includes(line));
  });

  test('restores the gateway of what comes from the LAN, and never of what comes by a gateway', () => {
    const { nft } = planObjects(wanted([gateway(1), gateway(2), gateway(2, 6)]), bits);
    assert.match(nft, /^ +ct direction original ct mark & 0xff000000 vmap/m);
    assert.match(nft, /^ +iifname != \{ "eth1", "eth2" \} ct mark & 0xff000000 vmap/m);
  });

  test('keeps no gateway for datagrams that are scheduled each for itself', () => {
    const gateways = [gateway(1)];
    const { nft } = planObjects({ ...wanted(gateways, [1, 2, 3]), onePacket: [3, 2] }, bits);
    const line = /^ +meta l4proto udp meta mark & 0xffffff \{ 0x2, 0x3 \} return$/m;
    for (const [name, then] of [
      ['undecided', /goto known/],
      ['save', /ct mark set/],
    ] as const) {
      const chain = chainOf(nft, name);
      assert.match(chain, line);
      // Before whatever saves or restores.
      assert.ok(chain.search(line) < chain.search(then));
    }
    assert.equal(nft.match(/l4proto udp/g)?.length, 2);
    assert.doesNotMatch(nftOf([1]), /l4proto udp/);
  });

  test('touches no mark of others where there is no service', () => {
    assert.doesNotMatch(nftOf([]), /\| 0xff000000/);
  });
});

describe('the difference of two plans', () => {
  const plan = (ids: number[]) => planObjects(wanted(ids.map((id) => gateway(id))), bits);

  test('is nothing between equals', () => {
    assert.deepEqual(diffObjects(plan([1, 2]), plan([2, 1])), { add: [], remove: [] });
  });

  test('fills a table before a rule leads there', () => {
    assert.deepEqual(
      diffObjects(plan([1]), plan([1, 2])).add.map(({ words }) => words),
      [
        'route replace default via 192.0.2.2 dev eth2 table 20002',
        'rule add priority 20102 fwmark 0x2000000/0xff000000 lookup 20002',
      ],
    );
  });

  test('takes the rule away before the table that it leads to', () => {
    assert.deepEqual(
      diffObjects(plan([1, 2]), plan([1])).remove.map(({ words }) => words),
      [
        'rule del priority 20102 fwmark 0x2000000/0xff000000 lookup 20002',
        'route del default via 192.0.2.2 dev eth2 table 20002',
      ],
    );
  });

  test('replaces a jump when the first gateway behind it comes or goes', () => {
    const jump = (verb: string, id: number) =>
      `rule ${verb} priority 20003 fwmark 0x10000000/0xf0000000 goto ${20100 + id}`;
    const words = (changes: { words: string }[]) =>
      changes.map(({ words }) => words).filter((line) => line.includes('rule'));
    const second = 'priority 20117 fwmark 0x11000000/0xff000000 lookup 20017';
    const come = diffObjects(plan([18]), plan([17, 18]));
    assert.deepEqual(words(come.add), [`rule add ${second}`, jump('del', 18), jump('add', 17)]);
    assert.deepEqual(words(come.remove), []);
    const go = diffObjects(plan([17, 18]), plan([18]));
    assert.deepEqual(words(go.add), [jump('del', 17), jump('add', 18)]);
    assert.deepEqual(words(go.remove), [`rule del ${second}`]);
  });

  test('replaces a route in place when its next hop changes', () => {
    const moved = planObjects(wanted([{ ...gateway(1), via: '192.0.2.99' }]), bits);
    const { add, remove } = diffObjects(plan([1]), moved);
    assert.deepEqual(
      add.map(({ words }) => words),
      ['route replace default via 192.0.2.99 dev eth1 table 20001'],
    );
    assert.deepEqual(remove, []);
  });

  test('adds the target of a goto before the goto', () => {
    const words = diffObjects({ rules: [], routes: [] }, plan([1])).add.map((c) => c.words);
    const target = words.findIndex((line) => line.includes('priority 20999'));
    const first = words.findIndex((line) => line.includes('goto 20999'));
    assert.ok(target >= 0 && target < first);
  });
});
