// The whole way from the text of a file to a Config or to problems.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { problemCases } from '../../test/cases/config.ts';
import { accepted, file, gateway, problemsOf, service } from '../../test/parsed.ts';
import type { Config } from '../model/config.ts';

describe('what is wrong with a file is said, all at once, with its place:', () => {
  for (const { name, text, problems } of problemCases)
    test(name, () => assert.deepEqual(problemsOf(text), problems));
});

const small = `
gateways:
  fiber: { link: eth1 }
services:
  web: { fwmark: 1, gateways: { fiber: 1 } }
rules:
  - { service: web }
`;

const complete: Config = {
  lan: [],
  router: '',
  connections: 1048576,
  markMask: 0xff000000,
  timeouts: { tcp: 900, tcpFin: 120, udp: 300 },
  settings: {
    conn_reuse_mode: 1,
    expire_nodest_conn: 0,
    expire_quiescent_template: 1,
    sloppy_tcp: 0,
    sloppy_sctp: 0,
  },
  api: { group: '', metricsListen: '', metricsTokenFile: '' },
  gateways: [
    {
      name: 'fiber',
      link: 'eth1',
      via: { 4: { kind: 'auto' }, 6: { kind: 'auto' } },
      snat: { 4: { kind: 'masquerade' }, 6: { kind: 'masquerade' } },
      mtu: 0,
      capacity: { down: 0, up: 0 },
      monitor: {
        probes: [{ kind: 'neighbour' }],
        intervalMs: 1000,
        timeoutMs: 500,
        burstMs: 100,
        rise: 3,
        fall: 3,
        quorum: 1,
        window: 20,
        hold: { first: 1000, most: 60_000 },
      },
      resolvers: [],
    },
  ],
  services: [
    {
      name: 'web',
      fwmark: 1,
      scheduler: 'wlc',
      schedulerFlags: [],
      persistence: 0,
      persistenceKey: 'source',
      netmask: { 4: 32, 6: 128 },
      onePacket: false,
      onDown: { action: 'reset', idle: false },
      failback: { kind: 'stay' },
      lastResort: 'main',
      fastpath: 'off',
      gateways: [{ gateway: 'fiber', weight: 1, upper: 0, lower: 0, tier: 1 }],
    },
  ],
  sets: [],
  rules: [
    {
      name: 'everything -> web',
      at: `${file}:7`,
      from: [],
      to: [],
      protocols: [],
      sport: [],
      dport: [],
      dscp: [],
      links: [],
      nft: '',
      service: 'web',
    },
  ],
  hooks: [],
};

describe('a small file', () => {
  test('is complete: every default is filled in', () => {
    assert.deepEqual(accepted(small), complete);
  });

  test('says the same with every default written out', () => {
    const written = `
lan:
router: main
connections: 1048576
mark-mask: 0xff000000
timeouts: { tcp: 15m, tcp-fin: 120s, udp: 300 }
settings: { conn_reuse_mode: 1, expire_nodest_conn: 0, expire_quiescent_template: 1, sloppy_tcp: 0, sloppy_sctp: 0 }
api: {}
gateways:
  fiber:
    { link: eth1, via: { ipv4: auto, ipv6: auto }, snat: { ipv4: masquerade }, capacity: {},
      monitor: { probes: [neighbour: true], interval: 1s, timeout: 500ms, burst: 100ms, rise: 3, fall: 3,
                 quorum: 1, window: 20, hold: { first: 1s, most: 1m } } }
services:
  web:
    { fwmark: 0x1, scheduler: wlc, one-packet: false, on-down: { action: reset, idle: false },
      failback: stay, last-resort: main, gateways: { fiber: { weight: 1, tier: 1 } } }
sets: {}
hooks: []
rules: [{ service: web, name: everything }]
`;
    const [one, two] = [accepted(small), accepted(written)];
    for (const { rules } of [one, two]) for (const rule of rules) rule.name = rule.at = '';
    assert.deepEqual(two, one);
  });
});

describe('a gateway', () => {
  test('with one address serves that family alone', () => {
    assert.deepEqual(gateway('via: 192.0.2.1').via, {
      4: { kind: 'address', address: '192.0.2.1' },
    });
    assert.deepEqual(gateway('via: 2001:DB8:0::1').via, {
      6: { kind: 'address', address: '2001:db8::1' },
    });
  });

  test('with a link-local address has its link behind it', () => {
    const hop = { 6: { kind: 'address', address: 'fe80::1%eth1' } };
    assert.deepEqual(gateway('via: fe80::1').via, hop);
    assert.deepEqual(gateway('via: { ipv6: fe80::1%eth1 }').via, hop);
  });

  test('may have another next hop for each family', () => {
    assert.deepEqual(gateway('via: { ipv4: onlink, ipv6: auto }').via, {
      4: { kind: 'onlink' },
      6: { kind: 'auto' },
    });
  });

  test('with one source address has the other family masqueraded', () => {
    assert.deepEqual(gateway('snat: 192.0.2.2').snat, {
      4: { kind: 'address', address: '192.0.2.2' },
      6: { kind: 'masquerade' },
    });
    assert.deepEqual(gateway('snat: none').snat, { 4: { kind: 'none' }, 6: { kind: 'none' } });
  });

  test('changes the prefix of IPv6 alone', () => {
    const npt = { 4: { kind: 'masquerade' }, 6: { kind: 'npt', prefix: '2001:db8:1::/56' } };
    assert.deepEqual(gateway('snat: { npt: "2001:db8:1::/56" }').snat, npt);
    assert.deepEqual(gateway('snat: { ipv6: { npt: 2001:db8:1::/56 } }').snat, npt);
  });

  test('has its capacity in bits a second', () => {
    assert.deepEqual(gateway('capacity: { down: 250M, up: 1.5G }').capacity, {
      down: 250e6,
      up: 1.5e9,
    });
  });

  test('has resolvers, each once', () => {
    const { resolvers } = gateway('resolvers: [192.0.2.53, 2001:DB8::53, 192.0.2.53]');
    assert.deepEqual(resolvers, ['192.0.2.53', '2001:db8::53']);
  });
});

describe('a service', () => {
  test('is persistent by a time alone, or by all that it takes', () => {
    const { persistence, persistenceKey, netmask } = service('persistent: 5m');
    assert.deepEqual([persistence, persistenceKey, netmask], [300, 'source', { 4: 32, 6: 128 }]);
    const all =
      'persistent: { timeout: 1h, netmask: 255.255.255.0, netmask6: 64, key: destination }';
    const { netmask: masks, ...rest } = service(all);
    assert.deepEqual(
      [rest.persistence, rest.persistenceKey, masks],
      [3600, 'destination', { 4: 24, 6: 64 }],
    );
  });

  test("has its scheduler's flags by their own names, in the order of their bits", () => {
    const { schedulerFlags } = service('scheduler: mh, scheduler-flags: [mh-port, flag-1]');
    assert.deepEqual(schedulerFlags, ['mh-fallback', 'mh-port']);
  });
});

const rule = (words: string, more = ''): Config['rules'][number] => {
  const [found] = accepted(`rules: [{ ${words}, service: main }]\n${more}`).rules;
  assert.ok(found);
  return found;
};

describe('a rule', () => {
  test('takes one of a thing or a list, names or numbers', () => {
    const { protocols, sport, dport, dscp, links } = rule(
      'proto: [udp, 6], sport: 1024-65535, dport: [https, 80, 8000-8099], dscp: [ef, cs1, 3], link: eth0',
    );
    assert.deepEqual(protocols, [6, 17]);
    assert.deepEqual(sport, [[1024, 65535]]);
    assert.deepEqual(dport, [
      [80, 80],
      [443, 443],
      [8000, 8099],
    ]);
    assert.deepEqual(dscp, [3, 8, 46]);
    assert.deepEqual(links, ['eth0']);
  });

  test('has its prefixes canonical, sorted and without those that lie in others', () => {
    const { from } = rule(
      'from: [10.1.0.0/16, "@a", "2001:DB8::/32", 192.0.2.1, 10.0.0.0/8]',
      'sets: { a: { prefixes: [192.0.2.9] } }',
    );
    assert.deepEqual(from, ['10.0.0.0/8', '192.0.2.1/32', '2001:db8::/32', '@a']);
  });

  test('is called by what it says, in short and with a sum of the rest', () => {
    assert.equal(
      rule('from: 10.0.0.0/24, proto: [tcp, udp], dport: [80-90, 443]').name,
      'from 10.0.0.0/24 proto tcp,udp dport 80-90,443 -> main',
    );
    const many = Array.from({ length: 30 }, (_, i) => `10.0.${2 * i}.0/24`);
    const { name } = rule(`from: [${many}]`);
    assert.match(name, /^from 10\.0\.0\.0\/24,10\.0\.2\.0\/24,.*… [0-9a-f]{8} -> main$/);
    assert.equal(name.length, 64);
    assert.notEqual(name, rule(`from: [${many.slice(0, 29)}]`).name);
  });

  test('that says the same as another gets a name of its own nevertheless', () => {
    const { rules } = accepted(
      'rules: [{ to: "@a", service: main }, { to: "@a", service: main }]\nsets: { a: { prefixes: [] } }',
    );
    assert.deepEqual(
      rules.map(({ name }) => name),
      ['to @a -> main', 'to @a -> main (2)'],
    );
  });
});
