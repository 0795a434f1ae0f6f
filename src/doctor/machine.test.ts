// Kernels, programs and clocks that do, and that do not.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { say, testCheck, withoutDirector } from '../../test/doctor-facts.ts';
import { clock, kernel, programs } from './machine.ts';

const all = { btf: true, 'route programs': true, clsact: true, nftables: true, conntrack: true };

testCheck(kernel, [
  [
    'an old one',
    { kernel: { release: '5.15.0-91-generic', features: all } },
    [
      "error: Linux 5.15.0-91-generic is older than 6.1: the director's programs do not run on it -> boot a newer kernel; Debian 12 has 6.1",
    ],
  ],
  ['one with two digits', { kernel: { release: '6.18.44', features: all } }, []],
  [
    'one that was built without',
    {
      kernel: {
        release: '6.6.0',
        features: { ...all, 'route programs': false, conntrack: false },
      },
    },
    [
      'error: this kernel runs no program in a route -> boot one with CONFIG_LWTUNNEL_BPF, as distributions build it',
      'error: this kernel keeps no marks of connections -> boot one with CONFIG_NF_CONNTRACK_MARK and CONFIG_NFT_CT, as distributions build it',
    ],
  ],
]);

testCheck(programs, [
  [
    'one that is needed, and one that is not',
    {
      programs: [
        { name: 'nft', version: '' },
        { name: 'conntrack', version: '' },
      ],
    },
    [
      'error: nft is not installed, and lvsj needs it -> apt-get install nftables',
      'note: conntrack is not installed; it is good to look at what conntrack knows -> apt-get install conntrack',
    ],
  ],
]);

testCheck(clock, [
  [
    'nobody sets it',
    { clockIsSynchronised: false },
    [
      'note: the clock follows no time server: logs, and times that the API tells, may be wrong -> apt-get install systemd-timesyncd',
    ],
  ],
]);

test('the kernel is judged without a director, too', () => {
  const facts = withoutDirector({ kernel: { release: '4.19', features: all } });
  assert.equal(kernel.find(facts).map(say).length, 1);
});
