// lbw and lrtt with real clients: what lines carry, and how soon servers answer by them. And the
// command that shows both. Needs root.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, type TestContext, test } from 'node:test';
import { well } from '../../src/model/health.ts';
import type { GatewayState } from '../../src/model/state.ts';
import { waitUntil } from '../../src/util/wait-until.ts';
import { lacksTun } from '../bpf/tun.ts';
import { DirectorLab, gatewayOf, markNew, seen, snatAll } from './director-lab.ts';

const lab = new DirectorLab('load');
const { isp1, isp2 } = gatewayOf[4];

/** Ties go to isp1, which is added last. */
const serve = (scheduler: string): void =>
  lab.restore(`
    -A -f 1 -s ${scheduler}
    -a -f 1 -r ${isp2} -j
    -a -f 1 -r ${isp1} -j`);

const read = (words: string): GatewayState[] =>
  JSON.parse(lab.lvsj(`gateway ${words}`)) as GatewayState[];
const gateways = (): GatewayState[] => read('--json');

function gateway(name: string): GatewayState {
  const [found, ...others] = read(`${name} --json`);
  assert.deepEqual(others, []);
  assert.ok(found);
  return found;
}

/** How many of so many connections, one after the other, each ISP saw. */
function connect(count: number): { isp1: number; isp2: number } {
  const {
    [seen[4].isp1]: one = 0,
    [seen[4].isp2]: two = 0,
    ...other
  } = lab.connect(4, { count, parallel: 1 });
  assert.deepEqual(other, {});
  return { isp1: one, isp2: two };
}

/** Looks at a download of so many bytes a second, which ends when that is done. */
async function during(rate: number, look: () => Promise<void>): Promise<void> {
  const download = lab.download(4, rate * 60, rate);
  try {
    await download.started;
    await look();
  } finally {
    download.kill();
    // Killed, it prints nothing.
    await download.result.catch(() => {});
  }
}

/** All that isp2's customers send is late from here on. */
async function slowDown(t: TestContext, delayMs: number): Promise<void> {
  const program = [
    process.execPath,
    `${import.meta.dirname}/../../src/lab/slow-link.ts`,
    String(delayMs),
  ];
  const link = lab.start('isp2', program);
  await link.started;
  lab.script(
    'isp2',
    `ip route add default dev slow0 table 900
    ip rule add pref 5 from 203.0.113.0/24 iif eth0 lookup 900`,
  );
  t.after(() => {
    lab.script('isp2', 'ip rule del pref 5');
    link.kill();
  });
}

describe('a director that looks at its lines', { timeout: 120_000 }, () => {
  before(() => lab.up());
  after(() => lab.down());
  beforeEach(() => lab.director(`${markNew}\n${snatAll}`));
  afterEach(() => {
    lab.assertNoStrays();
    lab.clearAdmin();
    lab.tryLvsj('stop');
    lab.run('director', ['conntrack', '-F']);
    // Late packets found no rules of the admin's.
    lab.resetStrays();
  });

  test('shares idle lines out by their capacities (lbw)', async () => {
    serve('lbw');
    lab.lvsj(`gateway ${isp1} capacity 30M 30M`);
    lab.lvsj(`gateway ${isp2} capacity 10M 10M`);
    // The load timer's next step brings the capacities in: a quarter of a second at the most.
    await waitUntil('3 to 1', () => Math.abs(connect(40).isp1 - 30) <= 4, 20_000);
  });

  test('leaves a line alone that one client fills (lbw)', async () => {
    serve('lbw');
    lab.lvsj(`gateway ${isp1} capacity 30M 30M`);
    lab.lvsj(`gateway ${isp2} capacity 10M 10M`);
    // Before it nothing was carried, and of a tie isp1 is the first.
    await during(3_600_000, async () => {
      await waitUntil('isp1 is half full', () => gateway(isp1).rate.down > 18e6, 20_000);
      // Each of them adds a twentieth to isp2.
      assert.deepEqual(connect(8), { isp1: 0, isp2: 8 });
    });
  });

  test('shows what a line carries, its connections, and what it was told', async () => {
    serve('rr');
    lab.lvsj(`gateway ${isp1} capacity 1.5G -`);
    await during(500_000, async () => {
      await waitUntil('its rate', () => gateway(isp1).rate.down > 2e6, 20_000);
      const { rate, connections, totals, rttUs, evidence, ...told } = gateway(isp1);
      assert.deepEqual(told, {
        ...{ id: gateways().find(({ address }) => address === isp1)?.id, address: isp1 },
        ...{ name: '', family: 4, link: 'eth1', present: true, admin: 'enabled' },
        ...{ unavailable: '', health: well, snat: '' },
        capacity: { down: 1.5e9, up: 1e8, downAssumed: false, upAssumed: true },
      });
      assert.ok(rate.down < 8e6, `${rate.down} bits a second`);
      assert.deepEqual(connections, { active: 1, inactive: 0 });
      assert.ok(totals.outBytes > 0 && totals.connections >= 1, JSON.stringify(totals));
      assert.ok(rttUs && rttUs > 0 && rttUs < 5e6, `${rttUs} us`);
      assert.ok(evidence.synAnswers > 0 && evidence.synAnswers <= evidence.syns);
      const line = / 192\.0\.2\.1 +eth1 +1\.5G +\(100M\) +\d\S*M +\S+ +1 +0 +\S+ ms +enabled\n/;
      assert.match(lab.lvsj('gateway'), line);
    });
  });

  test('takes the line by which servers answer sooner, and tries the other (lrtt)', async (t) => {
    if (lacksTun()) return t.skip(String(lacksTun()));
    const delayMs = 60;
    await slowDown(t, delayMs);
    serve('lrtt');
    // The first one measures isp1; the sixteenth tries the other.
    connect(16);
    const [near, far] = [gateway(isp1).rttUs, gateway(isp2).rttUs];
    // The datapath's clock moves in steps of up to 4 ms.
    const least = (delayMs - 4) * 1000;
    assert.ok(near && far && far >= least && near < far, `${near} and ${far} us`);
    // Of 16 connections in a row one tries the other.
    assert.deepEqual(connect(48), { isp1: 45, isp2: 3 });
  });
});

describe('lvsj gateway and lvsj setting', { timeout: 120_000 }, () => {
  before(async () => {
    await lab.up();
    serve('rr');
  });
  after(() => lab.down());

  test('a capacity stays while services are edited, and when its gateway comes back', () => {
    lab.lvsj(`gateway ${isp1} capacity 250M 40M`);
    const { capacity, id } = gateway(isp1);
    lab.lvsj(`ipvsadm -e -f 1 -r ${isp1} -j -w 7`);
    lab.lvsj(`ipvsadm -d -f 1 -r ${isp1}`);
    assert.deepEqual([gateway(isp1).present, gateway(isp1).capacity], [false, capacity]);
    assert.match(lab.lvsj(`gateway ${id}`), /state +deleted: no service has it\n/);
    lab.lvsj(`ipvsadm -a -f 1 -r ${isp1} -j`);
    assert.deepEqual([gateway(isp1).present, gateway(isp1).capacity], [true, capacity]);
    lab.lvsj(`gateway ${id} capacity 0 -`);
    assert.equal(gateway(isp1).capacity.downAssumed, true);
  });

  test('a capacity is set without touching anything else', () => {
    const saved = lab.lvsj('ipvsadm -Sn');
    const before = gateway(isp2);
    lab.lvsj(`gateway ${isp2}:0 capacity 1M 64k`);
    const capacity = { down: 1e6, up: 64_000, downAssumed: false, upAssumed: false };
    assert.deepEqual(gateway(isp2), { ...before, capacity });
    assert.equal(lab.lvsj('ipvsadm -Sn'), saved);
  });

  test('a setting is set, shown, and gone with the director', () => {
    const reuseMode = () => JSON.parse(lab.lvsj('setting conn_reuse_mode --json'));
    assert.deepEqual([reuseMode().value, reuseMode().default], [1, 1]);
    lab.lvsj('setting conn_reuse_mode 3');
    assert.deepEqual([reuseMode().value, reuseMode().default], [3, 1]);
    assert.match(lab.lvsj('setting'), /^conn_reuse_mode +3 +1 +\S/m);
    assert.match(lab.lvsj('setting'), /^expire_quiescent_template +1 +1 +\S/m);
    lab.lvsj('ipvsadm -C');
    assert.equal(reuseMode().value, 3);
    lab.lvsj('stop');
    serve('rr');
    assert.equal(reuseMode().value, 1);
  });
});
