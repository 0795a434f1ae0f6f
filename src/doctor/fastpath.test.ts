// What the fast path passes by, where a service has it; nothing is asked where none has.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { factsWith, nftRule, testCheck, type Wrong } from '../../test/doctor-facts.ts';
import type { Facts, FastpathFacts } from '../model/facts.ts';
import { fastPath, fastPathCounters, fastPathIngress, fastPathRules } from './fastpath.ts';

const file = '/etc/lvsj/lvsj.yaml';

const fast = (more: Partial<FastpathFacts> = {}, wrong: Wrong = {}): Wrong => ({
  ...wrong,
  director: {
    file,
    fastpath: { state: 'on', careful: ['service web'], insisting: [], ...more },
  },
});

const quota = nftRule('forward', 0, [{ quota: { val: 1, val_unit: 'mbytes' } }, { drop: null }]);
const state = { match: { op: 'in', left: { ct: { key: 'state' } }, right: ['established'] } };
const counted = nftRule('forward', 0, [state, { counter: { packets: 0, bytes: 0 } }]);

testCheck(fastPath, [
  ['watched', fast(), []],
  [
    'nobody watches',
    fast({ state: 'unwatched' }),
    [
      'warning: fastpath is on, but no lvsj run watches over it: all packets take the normal path -> systemctl start lvsj',
    ],
  ],
  [
    'iptables-legacy',
    fast({}, { legacyTables: ['iptables filter', 'ip6tables filter'] }),
    [
      'note: iptables-legacy has tables in use (iptables filter, ip6tables filter): it tells nobody when its rules change, and connections on the fast path meet them after 30 seconds at the most -> update-alternatives --set iptables /usr/sbin/iptables-nft, and its rules once more',
    ],
  ],
]);

testCheck(fastPathRules, [
  ['none', fast(), []],
  [
    'a quota, for a service that does not insist',
    fast({}, { nft: quota }),
    [
      'note: rules of others must see each packet, so service web takes the normal path: "nft rule inet fw c handle 7" (quota) -> nft delete rule inet fw c handle 7, if nobody needs them; or "fastpath: on" in the service itself',
    ],
  ],
  [
    'a quota, for one that insists',
    fast({ careful: [], insisting: ['service voip', 'service web'] }, { nft: quota }),
    [
      `warning: rules of others must see each packet and see some, for service voip, service web has a fastpath of its own that is on: "nft rule inet fw c handle 7" (quota) -> take "fastpath: on" from service voip, service web in ${file} and write it for the whole file, then lvsj apply ${file}`,
    ],
  ],
]);

test('fast-path-rules: more than three are counted', () => {
  const table = { filter: Array.from({ length: 5 }, () => '-A FORWARD -j LOG').join('\n') };
  const [found] = fastPathRules.find(factsWith(fast({}, { table })));
  assert.match(found?.what ?? '', /\(LOG\), "iptables [^,]*, "iptables [^,]* and 2 more$/);
});

testCheck(fastPathCounters, [
  ['none', fast(), []],
  [
    'of a rule, and of conntrack',
    fast({}, { nft: counted, sysctl: { 'net/netfilter/nf_conntrack_acct': '1' } }),
    [
      'note: of established connections only packets of the normal path are counted by "nft rule inet fw c handle 7" -> lvsj gateway, lvsj service and lvsj metrics count all packets',
      'note: of established connections only packets of the normal path are counted by conntrack (nf_conntrack_acct=1) -> lvsj gateway, lvsj service and lvsj metrics count all packets',
    ],
  ],
  ['of a rule elsewhere', fast({}, { nft: nftRule('input', 0, [{ counter: null }]) }), []],
]);

testCheck(fastPathIngress, [
  ['none', fast(), []],
  [
    'a shaper',
    fast({}, { passedFilters: [{ link: 'eth1', preference: 49152, kind: 'matchall, mirred' }] }),
    [
      `warning: the filter of tc at ingress of eth1 with preference 49152 (matchall, mirred) comes after the director's: it does not see what takes the fast path -> shape and filter where packets leave, which the fast path does not pass by; or "fastpath: off" in ${file}, then lvsj apply ${file}`,
    ],
  ],
]);

test('nothing is asked where no service has it', () => {
  const { director } = factsWith();
  const facts = new Proxy({ director } as Facts, {
    get: (known, name) => (name === 'director' ? known.director : assert.fail(String(name))),
  });
  for (const check of [fastPath, fastPathRules, fastPathCounters, fastPathIngress])
    assert.deepEqual(check.find(facts), []);
});
