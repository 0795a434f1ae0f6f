// lvsj doctor in a lab: faults are made one by one; it names each, and is silent once the command that
// it advises has been run as it stands. Needs root.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Finding } from '../../src/doctor/finding.ts';
import type { StatusState } from '../../src/model/state.ts';
import { DirectorLab, lvsjProgram, snatAll } from './director-lab.ts';
import { type Fault, faults } from './doctor-faults.ts';

const lab = new DirectorLab('doctor', 3);
const folder = mkdtempSync(join(tmpdir(), 'lvsj-doctor-'));

const table = `
  -A -f 1 -s wrr
  -a -f 1 -r 192.0.2.1 -j -w 3
  -a -f 1 -r 203.0.113.1 -j -w 1
  -A -f 1 -6 -s wrr
  -a -f 1 -6 -r [2001:db8:1::1]:0 -j`;

/** What this machine has to do with, and no fault of the lab's: its clock. */
const ofMachine = ['clock'];

interface Seen {
  status: number;
  findings: Finding[];
}

function examine(): Seen {
  const { status, stdout, stderr } = lab.tryLvsj('doctor --json');
  assert.equal(stderr, '');
  const findings = JSON.parse(stdout) as Finding[];
  return { status, findings: findings.filter(({ check }) => !ofMachine.includes(check)) };
}

const format = ({ severity, check, what }: Finding): string => `${severity} ${check}: ${what}`;

/** Runs what is advised, as it is written; twice the same advice once. */
const follow = (findings: Finding[]): string =>
  lab.director([`cd ${folder}`, ...new Set(findings.map(({ fix }) => fix))].join('\n'));

/** Nothing is found, and not because nothing is left. */
function assertHealthy(): void {
  const { gateways } = JSON.parse(lab.lvsj('status --json')) as StatusState;
  assert.equal(gateways.filter(({ present }) => present).length, 3);
  const { status, findings } = examine();
  assert.deepEqual({ status, findings: findings.map(format) }, { status: 0, findings: [] });
}

/** It is found, and gone once its advice was followed. */
function assertNamedAndCured({ make, found, afterwards, clean = '' }: Fault): void {
  lab.director(make);
  const { status, findings } = examine();
  assert.deepEqual(findings.map(format), found);
  assert.equal(status, found.some((line) => line.startsWith('error')) ? 3 : 1);
  if (afterwards === undefined) follow(findings);
  else {
    // Advice in words can't be run.
    if (findings.every(({ fix }) => fix.startsWith('sysctl'))) follow(findings);
    lab.director(afterwards);
  }
  assertHealthy();
  lab.director(clean);
}

after(() => rmSync(folder, { recursive: true }));

describe('lvsj doctor', { timeout: 300_000 }, () => {
  before(async () => {
    await lab.up();
    lab.director('lvsj start --connections 65536');
    lab.restore(table);
  });
  after(() => lab.down());

  test('wants source addresses for the LAN, and is content once it has them', () => {
    const { status, findings } = examine();
    const what = (gateway: string, link: string): string =>
      `warning source-address: gateway ${gateway}: what comes from 10.0.0.0/24 leaves ${link} with its ` +
      'private address, to which no answer finds back';
    assert.deepEqual(findings.map(format).sort(), [
      what('192.0.2.1', 'eth1'),
      what('203.0.113.1', 'eth2'),
    ]);
    assert.equal(status, 1);
    follow(findings);
    assertHealthy();
    lab.director(`iptables -t nat -F\n${snatAll}`);
    assertHealthy();
  });

  for (const fault of faults) test(`names ${fault.name}`, () => assertNamedAndCured(fault));

  test('names timers that nobody holds', () => {
    unlinkSync(`/sys/fs/bpf/lvsj-${lab.inode('director')}-timers`);
    const { findings } = examine();
    assert.deepEqual(findings.map(format), [
      "error expiry: the pin of the director's timers in /sys/fs/bpf is gone: connections expire no more, and averages stand still",
    ]);
    follow(findings);
    assertHealthy();
  });

  test('names a link that is down, and then the route that went with it', () => {
    lab.director('ip link set eth2 down');
    const down = examine().findings;
    assert.deepEqual(down.map(format), ['error gateways: gateway 203.0.113.1: eth2 is down']);
    follow(down);
    const lost = examine().findings;
    assert.deepEqual(lost.map(format), [
      "error objects: somebody has taken away policy rules or routes of the director's",
    ]);
    follow(lost);
    assertHealthy();
  });

  test('names a link without a carrier', (t) => {
    lab.run('isp2', ['ip', 'link', 'set', 'eth0', 'down']);
    t.after(() => lab.run('isp2', ['ip', 'link', 'set', 'eth0', 'up']));
    assert.deepEqual(examine().findings.map(format), [
      'error gateways: gateway 203.0.113.1: eth2 has no carrier',
    ]);
  });

  test('names a gateway that does not answer, also where the kernel believes it still does', (t) => {
    lab.director('ping -c 1 203.0.113.1');
    lab.run('isp2', ['ip', 'addr', 'del', '203.0.113.1/24', 'dev', 'eth0']);
    t.after(() => lab.run('isp2', ['ip', 'addr', 'add', '203.0.113.1/24', 'dev', 'eth0']));
    const silent =
      'error gateways: gateway 203.0.113.1: nobody answers for 203.0.113.1 on eth2 (neighbour FAILED)';
    lab.director('ip neighbour change 203.0.113.1 dev eth2 nud stale');
    assert.deepEqual(examine().findings.map(format), [silent]);
    lab.director('ip neighbour flush dev eth2');
    assert.deepEqual(examine().findings.map(format), [silent]);
  });

  test('says what it could not look at, and checks the rest', () => {
    const bin = join(folder, 'bin');
    mkdirSync(bin);
    writeFileSync(join(bin, 'nft'), '#!/bin/sh\necho "refused by the test" >&2\nexit 1\n', {
      mode: 0o755,
    });
    const argv = ['env', `PATH=${bin}:${process.env.PATH}`, lvsjProgram, 'doctor', '--json'];
    const findings = JSON.parse(lab.tryRun('director', argv).stdout) as Finding[];
    const notes = findings.filter(({ what }) => what.includes('refused by the test'));
    assert.deepEqual(notes.map(format), [
      'note marks, source-address, mtu, offload, others: not checked: "nft -j -t list ruleset" failed: refused by the test',
    ]);
  });
});

const file = join(folder, 'lvsj.yaml');

const config = `
connections: 65536
gateways:
  fiber: { link: eth1, via: { ipv4: 192.0.2.1, ipv6: "2001:db8:1::1" } }
  lte: { link: eth2, via: { ipv4: 203.0.113.1 } }
services:
  web: { fwmark: 1, scheduler: wrr, gateways: { fiber: 3, lte: 1 } }
rules:
  - { name: lan, from: [10.0.0.0/24, "2001:db8:10::/64"], service: web }
`;

/** Made one by one on a router that a configuration made. */
const configuredFaults: Fault[] = [
  {
    name: 'a rule and a route that are gone',
    make: 'ip rule del priority 20101; ip -6 rule del priority 20001',
    found: ["error objects: somebody has taken away policy rules or routes of the director's"],
  },
  {
    name: 'an nftables table that somebody changed',
    make: 'nft flush chain inet lvsj rules',
    found: [
      'error objects: the nftables table inet lvsj is gone, or somebody has changed it: conntrack does not keep gateways as it should',
    ],
  },
  {
    name: 'a link that became smaller',
    make: 'ip link set eth2 mtu 1400',
    found: [
      'warning mtu: gateway lte (203.0.113.1): packets of more than 1400 bytes do not fit, and eth0 has 1500: TCP hangs where ICMP is filtered',
    ],
  },
  {
    name: "the route to the director's program that is gone",
    make: 'ip -6 route del default table 20000',
    found: [
      "error objects: the route to the director's program is gone (IPv6, table 20000): nothing is shared out",
    ],
  },
  {
    name: 'a LAN link without its programs',
    make: 'tc filter del dev eth0 egress',
    found: [
      "error lan-programs: eth0 is the LAN's, but the director's programs are not on it: its connections are neither known nor counted",
    ],
  },
  {
    name: 'a rule that takes the mark of a service',
    make: 'ip route add default via 192.0.2.1 dev eth1 table 77; ip rule add priority 100 fwmark 1 lookup 77',
    found: [
      "error policy-rules: ip -4 rule 100 (from all fwmark 0x1/0xffffffff lookup 77) comes before the director's rules and takes the packets of service web: table 77 has a route to 0.0.0.0/0",
    ],
    clean: 'ip rule del priority 21000',
  },
];

describe('lvsj doctor of a configuration', { timeout: 300_000 }, () => {
  before(async () => {
    await lab.up();
    writeFileSync(file, config);
    lab.lvsj(`apply ${file}`);
  });
  after(() => lab.down());

  test('finds nothing', () => assertHealthy());
  for (const fault of configuredFaults)
    test(`names ${fault.name}`, () => assertNamedAndCured(fault));

  test('lends lvsj plan its eyes for marks of others', (t) => {
    const rule = 'PREROUTING -t mangle -m mark --mark 0x4000/0x4000 -j ACCEPT';
    lab.director(`iptables -A ${rule}`);
    t.after(() => lab.director(`iptables -D ${rule}`));
    writeFileSync(file, config.replace('fwmark: 1', 'fwmark: 0x4001'));
    const { status, stderr } = lab.tryLvsj(`plan ${file}`);
    writeFileSync(file, config);
    assert.deepEqual(
      [status, stderr],
      [
        0,
        'warning: Kubernetes: "iptables -t mangle -A PREROUTING -m mark --mark 0x4000/0x4000 -j ACCEPT" tests the mark ' +
          '0x4000/0x4000; service web has the fwmark 0x4001, which shares bits with it; give service web a fwmark without the bits 0x4000\n',
      ],
    );
  });

  test('alarms nobody for a gateway that an admin has disabled', () => {
    lab.lvsj('gateway lte disable');
    lab.director('ip link set eth2 down');
    const { status, findings } = examine();
    assert.deepEqual(findings.map(format), [
      'warning gateways: gateway lte (203.0.113.1): eth2 is down',
    ]);
    assert.equal(status, 1);
  });
});
