// A connection stays on its gateway, whatever happens to services, gateways, tables and processes
// while it lasts. Needs root.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, type TestContext, test } from 'node:test';
import type { Download } from '../../src/lab/client-download.ts';
import type { StatusState } from '../../src/model/state.ts';
import type { Family } from '../../src/model/table.ts';
import { waitUntil } from '../../src/util/wait-until.ts';
import {
  DirectorLab,
  families,
  gatewayOf,
  markAll,
  markNew,
  type Running,
  seen,
  serverAddress,
  snatAll,
} from './director-lab.ts';

const lab = new DirectorLab('stick');

const onlyBy = (isp: 'isp1' | 'isp2') => `
  -A -f 1 -s rr
  -a -f 1 -r ${gatewayOf[4][isp]}:0 -j
  -A -f 1 -6 -s rr
  -a -f 1 -6 -r [${gatewayOf[6][isp]}]:0 -j`;

/** Options of ipvsadm that name the service of a family. */
const service = { 4: '-f 1', 6: '-f 1 -6' } as const;

/** A port on which nobody listens: conntrack calls its connections NEW for ever. */
const unanswered = 9;

const program = (name: string) => [process.execPath, `${import.meta.dirname}/${name}`];

/** A second and a half of bytes by isp2, over both families. */
async function startDownloads(bytes = 150_000): Promise<Running<Download>[]> {
  const downloads = families.map((family) => lab.download(family, bytes, 100_000));
  await Promise.all(downloads.map(({ started }) => started));
  return downloads;
}

async function assertWhole(downloads: Running<Download>[], isp: 'isp1' | 'isp2'): Promise<void> {
  const results = await Promise.all(downloads.map(({ result }) => result));
  assert.deepEqual(
    results.map(({ ok, address, error }) => ({ ok, address, error })),
    families.map((family) => ({ ok: true, address: seen[family][isp], error: undefined })),
  );
}

const gatewayIds = () =>
  (JSON.parse(lab.lvsj('status --json')) as StatusState).gateways
    .map(({ id, address }) => `${id} ${address}`)
    .sort();

/** Every command of ipvsadm that leaves a gateway in its service, and some for others. */
function editEverything(family: Family): void {
  const [fwmark, { isp1, isp2 }] = [service[family], gatewayOf[family]];
  for (const words of [
    `-E ${fwmark} -s wlc`,
    `-a ${fwmark} -r ${isp1} -j -w 7`,
    `-e ${fwmark} -r ${isp2} -j -w 5 -x 100`,
    `-E ${fwmark} -s wrr -p 60`,
    `-A ${fwmark.replace('1', '9')}`,
    `-a ${fwmark.replace('1', '9')} -r ${isp1} -j`,
    `-d ${fwmark} -r ${isp1}`,
    `-D ${fwmark.replace('1', '9')}`,
    `-a ${fwmark} -r ${isp1} -j`,
    `-Z ${fwmark}`,
    `-e ${fwmark} -r ${isp2} -j -w 0`,
    '--set 800 100 200',
  ])
    lab.lvsj(`ipvsadm ${words}`);
}

describe('a connection', { timeout: 120_000 }, () => {
  before(() => lab.up());
  after(() => lab.down());
  afterEach(() => {
    lab.assertNoStrays();
    lab.clearAdmin();
    lab.tryLvsj('stop');
    // The next test's connections may have the same ports.
    lab.run('director', ['conntrack', '-F']);
    // Late packets found no rules of the admin's.
    lab.resetStrays();
  });

  test('stays while its service is edited, its gateway drained, and others come and go', async () => {
    lab.director(`${markNew}\n${snatAll}`);
    lab.restore(onlyBy('isp2'));
    const downloads = await startDownloads(300_000);
    for (const family of families) {
      editEverything(family);
      assert.deepEqual(lab.connect(family, { count: 10 }), { [seen[family].isp1]: 10 });
    }
    await assertWhole(downloads, 'isp2');
  });

  test('goes on by its gateway after -C and -R of the saved table', async () => {
    lab.director(`${markNew}\n${snatAll}`);
    lab.restore(onlyBy('isp2'));
    for (const family of families)
      lab.lvsj(`ipvsadm -a ${service[family]} -r ${gatewayOf[family].isp1} -j -w 0`);
    const downloads = await startDownloads();
    assert.equal(lab.udpFrom(4, 5000), seen[4].isp2);
    const [saved, ids] = [lab.lvsj('ipvsadm -Sn'), gatewayIds()];
    lab.lvsj('ipvsadm -C');
    // Another gateway must not take the number that the connections still hold.
    lab.lvsj('ipvsadm -A -f 5');
    lab.lvsj('ipvsadm -a -f 5 -r 203.0.113.77 -j');
    lab.lvsj('ipvsadm -R', saved);
    const meanwhile = lab.strays();
    assert.deepEqual(
      gatewayIds().filter((line) => !line.endsWith('.77')),
      ids,
    );
    await assertWhole(downloads, 'isp2');
    assert.equal(lab.udpFrom(4, 5000), seen[4].isp2);
    assert.deepEqual(lab.strays(), meanwhile, 'packets on a wrong link after -R');
    lab.resetStrays();
  });

  test('of two processes that edit at once, no edit is lost', () => {
    const edits = (first: number) =>
      `for i in $(seq ${first} ${first + 9}); do
        lvsj ipvsadm -A -f $i; lvsj ipvsadm -a -f $i -r ${gatewayOf[4].isp1} -j -w $i
      done`;
    // The first of them also starts the director.
    lab.director(`${edits(10)} & ${edits(30)}; wait`);
    const numbers = [...Array(10).keys()].flatMap((i) => [10 + i, 30 + i]);
    const saved = lab.lvsj('ipvsadm -Sn').trimEnd().split('\n').sort();
    const want = numbers.flatMap((i) => [
      `-A -f ${i} -s wlc`,
      `-a -f ${i} -r ${gatewayOf[4].isp1}:0 -j -w ${i}`,
    ]);
    assert.deepEqual(saved, want.sort());
  });

  for (const [discipline, marks] of [
    ['new packets are', markNew],
    ['every packet is', markAll],
  ] as const) {
    test(`keeps its link when the connection table is lost, where ${discipline} marked`, async () => {
      lab.director(`${marks}\n${snatAll}`);
      lab.restore(onlyBy('isp2'));
      const downloads = await startDownloads();
      for (const family of families) lab.udpFrom(family, 5001);
      lab.restore(onlyBy('isp1'));
      for (const family of families)
        lab.lvsj(`ipvsadm -a ${service[family]} -r ${gatewayOf[family].isp2} -j -w 0`);
      lab.resetStrays();
      lab.run('director', program('lose-table.ts'));
      assert.deepEqual(lab.connections(), []);
      for (const family of families) {
        assert.equal(lab.udpFrom(family, 5001), seen[family].isp2);
        assert.equal(lab.udpFrom(family, 5002), seen[family].isp1);
      }
      await assertWhole(downloads, 'isp2');
    });

    test(`keeps its link when it began before the director, where ${discipline} marked`, async () => {
      lab.director(snatAll);
      const downloads = await startDownloads();
      for (const family of families) {
        assert.equal(lab.udpFrom(family, 5003), seen[family].isp1);
        lab.udpUnheard(family, 5006, unanswered);
      }
      lab.restore(onlyBy('isp2'));
      lab.director(marks);
      for (const family of families) {
        assert.equal(lab.udpFrom(family, 5003), seen[family].isp1);
        // One that is wrong would be counted as a stray.
        lab.udpUnheard(family, 5006, unanswered);
        assert.equal(lab.udpFrom(family, 5004), seen[family].isp2);
        assert.deepEqual(lab.connect(family), { [seen[family].isp2]: 1 });
      }
      await assertWhole(downloads, 'isp1');
    });

    test(`takes errors about it, and expected connections, along, where ${discipline} marked`, async (t) => {
      lab.director(`${marks}\n${snatAll}`);
      lab.restore(onlyBy('isp2'));
      for (const family of families) await assertErrorsFollow(family);
      await assertFtpFollows(t);
    });
  }

  test('is over when its port is used again, marked or not', (t) => {
    const ports = (range: string) =>
      lab.script('lan', `sysctl -qw net.ipv4.ip_local_port_range="${range}"`);
    const before = lab.script('lan', 'sysctl -n net.ipv4.ip_local_port_range').trim();
    // So few that a dozen of 60 connections have the port of one before; enough for TIME_WAIT.
    ports('20000 20299');
    t.after(() => ports(before));
    lab.restore(onlyBy('isp2'));
    for (const [marks, isp] of [
      [markNew, 'isp2'],
      ['', 'isp1'],
      [markAll, 'isp2'],
    ] as const) {
      lab.director(`${marks}\n${snatAll}`);
      for (const family of families) {
        const from = lab.clients(family).slice(0, 1);
        assert.deepEqual(lab.connect(family, { count: 60, from }), { [seen[family][isp]]: 60 });
      }
      lab.assertNoStrays();
      lab.clearAdmin();
      lab.resetStrays();
    }
  });

  test('from outside, to a server on the LAN, is never scheduled', async (t) => {
    // The server's own rule, as the main table would answer by isp1: behind all rules of ours.
    lab.director(`${markAll}
      iptables -t nat -A PREROUTING -i eth2 -j DNAT --to-destination 10.0.0.42
      ip rule add pref 30000 from 10.0.0.42 lookup 900
      ip route add default via ${gatewayOf[4].isp2} table 900`);
    t.after(() => lab.director('ip rule del pref 30000; ip route flush table 900'));
    lab.restore(onlyBy('isp1'));
    const server = lab.start('lan', [...program('../../src/lab/server.ts'), '8080']);
    t.after(() => server.kill());
    await server.started;
    const outside = { host: 'internet', from: [serverAddress[4]], count: 10 };
    const scheduled = lab.newConnections(() => {
      assert.deepEqual(lab.connect(4, { ...outside, to: `${seen[4].isp2}:8080` }), {
        [serverAddress[4]]: 10,
      });
      assert.deepEqual(lab.udp(4, { ...outside, to: seen[4].isp2, sockets: 2 }), {
        [serverAddress[4]]: 10,
      });
      lab.run('internet', ['ping', '-c', '2', '-i', '0.01', '-W', '2', seen[4].isp2]);
    });
    assert.deepEqual(scheduled, []);
  });
});

/** The error that a client sends about a reply takes the reply's link. */
async function assertErrorsFollow(family: Family): Promise<void> {
  const protocol = family === 4 ? 'icmp' : 'icmpv6';
  lab.script(
    'lan',
    `nft add table inet errors
    nft add chain inet errors c '{ type filter hook input priority filter; }'
    nft add rule inet errors c udp dport 5005 reject with icmpx type port-unreachable`,
  );
  lab.script(
    'isp2',
    `nft add table inet errors
    nft add chain inet errors c '{ type filter hook prerouting priority raw; }'
    nft add rule inet errors c iifname eth0 ${protocol} type destination-unreachable counter`,
  );
  lab.udpUnheard(family, 5005, 7);
  const counter = () => lab.script('isp2', 'nft list table inet errors');
  await waitUntil('an error at isp2', () => counter().includes('packets 1 '));
  for (const host of ['lan', 'isp2']) lab.script(host, 'nft delete table inet errors');
}

/** FTP's data connections, of both directions, where the kernel has the helper. */
async function assertFtpFollows(t: TestContext): Promise<void> {
  const helper = `table inet ftp {
    ct helper ftp { type "ftp" protocol tcp; }
    chain prerouting {
      type filter hook prerouting priority filter
      tcp dport 21 ct helper set "ftp"
    }
  }\n`;
  if (lab.tryRun('director', ['nft', '-f', '-'], helper).status !== 0) {
    t.diagnostic('no FTP helper in this kernel: its expected connections are not tried');
    return;
  }
  const server = lab.start('internet', [...program('ftp.ts'), 'server']);
  t.after(() => server.kill());
  await server.started;
  for (const mode of ['passive', 'active']) {
    const argv = [...program('ftp.ts'), serverAddress[4], '10.0.0.11', mode];
    const { stdout } = lab.tryRun('lan', argv);
    assert.equal(stdout, JSON.stringify([seen[4].isp2, seen[4].isp2]), mode);
  }
}
