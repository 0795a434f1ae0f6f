// How the demo reads what commands print.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  countMarked,
  gatewayColumn,
  parseConnections,
  parseCounters,
  parseHops,
  parseListing,
  programIds,
  withoutIptables,
} from './demo-parse.ts';

test('a listing of both families is read', () => {
  const text = `IP Virtual Server version 1.2.1 (size=1048576)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn
FWM  1 wlc persistent 300
  -> 192.0.2.1:0                  ReInj   3      1          296       
FWM  1 IPv6 wrr
  -> [2001:db8:1::1]:0            ReInj   1      0          100       
`;
  const services = parseListing(text);
  assert.deepEqual(services, [
    {
      fwmark: 1,
      family: 4,
      words: ['wlc', 'persistent', '300'],
      gateways: [{ address: '192.0.2.1', words: ['ReInj', '3', '1', '296'] }],
    },
    {
      fwmark: 1,
      family: 6,
      words: ['wrr'],
      gateways: [{ address: '2001:db8:1::1', words: ['ReInj', '1', '0', '100'] }],
    },
  ]);
  assert.deepEqual(gatewayColumn(services[0], 3), { '192.0.2.1': 296 });
  assert.deepEqual(gatewayColumn(undefined, 3), {});
});

test('connections and templates are read', () => {
  const text = `IPVS connection entries
pro expire state       source             virtual            destination
TCP 02:00  TIME_WAIT   10.0.0.12:41439    198.51.100.10:80   192.0.2.1:80
TCP 15:00  ESTABLISHED [2001:db8:10::11]:4000 [2001:db8:ffff::10]:80 [2001:db8:1::1]:80
IP  05:00  ASSURED     10.0.0.18:0        0.0.0.1:0          192.0.2.1:0
`;
  assert.deepEqual(
    parseConnections(text).map((c) => Object.values(c)),
    [
      ['TCP', 'TIME_WAIT', '10.0.0.12', 41439, '192.0.2.1'],
      ['TCP', 'ESTABLISHED', '2001:db8:10::11', 4000, '2001:db8:1::1'],
      ['IP', 'ASSURED', '10.0.0.18', 0, '192.0.2.1'],
    ],
  );
});

test('hops are read, silent ones too', () => {
  const text = `traceroute to 198.51.100.10 (198.51.100.10), 30 hops max, 60 byte packets
 1  10.0.0.1  0.090 ms
 2  *
10  2001:db8::1  0.043 ms !X
`;
  assert.deepEqual(parseHops(text), ['10.0.0.1', '*', '2001:db8::1']);
});

test('named counters are read', () => {
  const json = `{"nftables": [{"metainfo": {"version": "1.0.6"}},
    {"counter": {"family": "inet", "name": "foreign", "table": "demo", "packets": 3, "bytes": 180}}]}`;
  assert.deepEqual(parseCounters(json), { foreign: 3 });
});

test('conntrack entries with gateway bits are counted', () => {
  const text = 'tcp 6 … mark=0 use=1\nudp … mark=33554433 use=1\nicmp … mark=4278190080 use=1\n';
  assert.equal(countMarked(text, 0xff000000), 2);
});

test('our programs are found by the filters of the links', () => {
  const filter = 'filter … handle 0x1 lvsj_ingress:[284] direct-action id 284 name lvsj_ingress\n';
  const state = { a: filter, b: filter, c: filter.replaceAll('284', '287'), d: 'other:[9]' };
  assert.deepEqual(programIds(state), [284, 287]);
});

test('tables of iptables are left out, and no others', () => {
  const ruleset = `# Warning: table ip nat is managed by iptables-nft, do not touch!
table ip nat {
	chain POSTROUTING {
	}
}
table inet nat {
}
# Warning: table ip6 mangle is managed by iptables-nft, do not touch!
table ip6 mangle {
}
`;
  const state = { 'nft -s list ruleset': ruleset, other: 'x' };
  assert.deepEqual(withoutIptables(state), {
    'nft -s list ruleset': 'table inet nat {\n}\n',
    other: 'x',
  });
});
