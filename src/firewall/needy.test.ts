// Whole rulesets, as nft 1.0.6 and iptables-save 1.8.9 list them -> the rules that the fast path must not pass by.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { nftRule } from '../../test/doctor-facts.ts';
import { findNeedyRules } from './needy.ts';

const read = (name: string): string =>
  readFileSync(`${import.meta.dirname}/../../test/golden/firewall/${name}`, 'utf8');

const links = ['eth0', 'eth1'];
const short = (nft: unknown[], names: string[] = links): string[] =>
  findNeedyRules({ nft, iptables: [] }, names).map(({ chain, why }) => `${chain}: ${why}`);

const ofNft = (name: string): string[] => short(JSON.parse(read(`${name}.json`)) as unknown[]);

const ofIptables = (text: string): string[] =>
  findNeedyRules({ nft: [], iptables: [{ program: 'iptables', family: 4, text }] }, links).map(
    ({ chain, why, rule }) => `${chain}: ${why}: ${rule.split(' ').slice(5).join(' ')}`,
  );

describe('a ruleset of nft', () => {
  test('that accepts established traffic before it limits and logs has none', () => {
    assert.deepEqual(ofNft('router'), []);
  });

  test('that does so by a map of states has none, and neither do a DSCP and the MSS', () => {
    assert.deepEqual(ofNft('zones'), []);
  });

  test('has those before, in chains of their own, until all is accepted; at ingress too', () => {
    assert.deepEqual(ofNft('limits'), [
      'hosts: quota',
      'hosts: ttl',
      'accounted: ct bytes',
      'lan: limit',
    ]);
  });

  test('is told by table, chain and rule', () => {
    const expr = [{ quota: { val: 100, val_unit: 'mbytes', inv: true } }, { drop: null }];
    assert.deepEqual(findNeedyRules({ nft: nftRule('forward', 0, expr), iptables: [] }, links), [
      { table: 'inet fw', chain: 'c', rule: 'nft rule inet fw c handle 7', why: 'quota' },
    ]);
  });

  test('has none of ours', () => {
    assert.deepEqual(short(nftRule('forward', 0, [{ log: null }], 'lvsj')), []);
  });

  test('has those of a link’s ingress only where that link is the LAN’s or a gateway’s', () => {
    const at = (dev: string | string[]): unknown[] => [
      { chain: { family: 'netdev', table: 'n', name: 'c', type: 'filter', hook: 'ingress', dev } },
      { rule: { family: 'netdev', table: 'n', chain: 'c', handle: 2, expr: [{ log: null }] } },
    ];
    assert.deepEqual(short(at('eth1')), ['c: log']);
    assert.deepEqual(short(at(['eth7', 'eth0'])), ['c: log']);
    assert.deepEqual(short(at('eth7')), []);
  });
});

const meta = (key: string) => ({ meta: { key } });
const field = (protocol: string, name: string) => ({ payload: { protocol, field: name } });
const match = (left: object, right: unknown, op = '==') => ({ match: { op, left, right } });
const state = (right: unknown, op = 'in') => match({ ct: { key: 'state' } }, right, op);
const change = (key: object) => ({ mangle: { key, value: 1 } });
const log = { log: null };

describe('a rule of nft', () => {
  for (const [name, expr, why] of [
    ['limit', [{ limit: { rate: 3, per: 'second' } }, { accept: null }], 'limit'],
    ['limit, log', [{ limit: 'named' }, log], 'limit, log'],
    ['queue', [{ queue: { num: 3 } }], 'queue'],
    ['synproxy', [{ synproxy: { mss: 1460 } }], 'synproxy'],
    ['dup', [{ dup: { addr: '10.9.9.9' } }], 'dup'],
    ['meter', [{ meter: { name: 'm' } }, { drop: null }], 'meter'],
    ['a set', [{ set: { op: 'update', set: '@seen' } }], 'set update'],
    ['hop limit', [change(field('ip6', 'hoplimit'))], 'hoplimit'],
    ['address', [change(field('ip', 'saddr'))], 'saddr'],
    ['option', [{ reset: { 'tcp option': { name: 'sack-perm' } } }], 'reset'],
    ['trace', [change(meta('nftrace'))], 'nftrace'],
    ['contents', [match({ payload: { base: 'th', offset: 160, len: 16 } }, 4)], 'payload'],
    ['of iptables', [{ xt: { type: 'target', name: 'TEE' } }], 'TEE'],
    ['a port, raw', [match({ payload: { base: 'th', offset: 16, len: 16 } }, 4)], undefined],
    ['marks', [change(meta('mark')), change({ ct: { key: 'mark' } })], undefined],
    ['how many connections', [{ 'ct count': { val: 20 } }, { drop: null }], undefined],
    ['new ones', [state(['new', 'untracked']), log], undefined],
    ['all but established ones', [state('established', '!='), log], undefined],
    ['all but new ones', [state('new', '!='), log], 'log'],
    [
      'a map of states',
      [{ vmap: { key: { ct: { key: 'state' } }, data: { set: [] } } }, log],
      undefined,
    ],
    ['a ping', [match(field('icmp', 'type'), 'echo-request'), log], undefined],
    ['other protocols', [match(meta('l4proto'), { set: ['icmp', 'esp'] }), log], undefined],
    ['some of its protocols', [match(meta('l4proto'), { set: ['icmp', 'udp'] }), log], 'log'],
    ['SYNs', [match(field('tcp', 'flags'), 'syn', 'in'), log], undefined],
    ['SYNs or ACKs', [match(field('tcp', 'flags'), ['syn', 'ack'], 'in'), log], 'log'],
    [
      'nothing but ACK',
      [match({ '&': [field('tcp', 'flags'), ['syn', 'ack']] }, 'ack'), log],
      'log',
    ],
    [
      'to the router',
      [match({ fib: { result: 'type', flags: ['daddr'] } }, 'local'), log],
      undefined,
    ],
    ['loopback', [match(meta('iif'), 'lo'), log], undefined],
  ] as [string, object[], string | undefined][])
    test(`${why === undefined ? 'need not' : 'must'} see each packet: ${name}`, () => {
      assert.deepEqual(short(nftRule('forward', 0, expr)), why === undefined ? [] : [`c: ${why}`]);
    });

  test('is met at the hooks of what is forwarded only', () => {
    const at = (hook: string) => short(nftRule(hook, 0, [log])).length;
    assert.deepEqual(
      ['prerouting', 'forward', 'postrouting', 'input', 'output', 'egress'].map(at),
      [1, 1, 1, 0, 0, 0],
    );
  });
});

describe('a ruleset of iptables', () => {
  test('that accepts established traffic in a chain that all go through has none after it', () => {
    assert.deepEqual(ofIptables(read('layers.iptables')), []);
  });

  test('has those before, and those of its other tables', () => {
    assert.deepEqual(ofIptables(read('hosts.iptables')), [
      'PREROUTING: NFLOG: -i eth0 -m conntrack ! --ctstate NEW -j NFLOG --nflog-group 3',
      'POSTROUTING: TTL: -o eth1 -j TTL --ttl-set 65',
      'HOSTS: quota: -s 10.0.0.7/32 -m quota --quota 1000000 -j RETURN',
      'HOSTS: hashlimit: -p udp -m hashlimit --hashlimit-above 100/sec --hashlimit-burst 5 --hashlimit-mode srcip --hashlimit-name udp -j DROP',
    ]);
  });

  test('goes on after an accept that not all meet, and ends where a chain returns', () => {
    const text = (line: string) => `*filter\n${line}\n-A FORWARD -j LOG\nCOMMIT\n`;
    const count = (line: string) => ofIptables(text(line)).length;
    const accept = '-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT';
    assert.equal(count(`-A FORWARD ${accept}`), 0);
    assert.equal(count(`-A FORWARD -i eth0 ${accept}`), 1);
    assert.equal(count('-A FORWARD -m conntrack --ctstate RELATED -j ACCEPT'), 1);
    assert.equal(count(`-A FORWARD -g OTHER\n-A OTHER ${accept}`), 0);
    assert.equal(count(`-A FORWARD -j OTHER\n-A OTHER -j RETURN\n-A OTHER ${accept}`), 1);
    assert.equal(count('-A FORWARD -j OTHER\n-A OTHER -j FORWARD'), 1);
  });
});
