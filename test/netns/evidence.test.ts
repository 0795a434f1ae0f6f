// What packets tell of gateways, of real clients: a line that carries nothing any more shows in its counters, and
// the other line's show nothing. Needs root.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import type { EvidenceState } from '../../src/model/evidence.ts';
import type { GatewayState } from '../../src/model/state.ts';
import type { Family } from '../../src/model/table.ts';
import { families, seen } from './director-lab.ts';
import { OwnLab } from './own-lab.ts';

const lab = new OwnLab('evidence');

function evidence(family: Family): Record<string, EvidenceState> {
  const gateways = JSON.parse(lab.lvsj('gateway --json')) as GatewayState[];
  const ours = gateways.filter((gateway) => gateway.family === family);
  return Object.fromEntries(ours.map((gateway) => [gateway.name, gateway.evidence]));
}

/** What each gateway's counters moved by. */
function moved(family: Family, work: () => void) {
  const before = evidence(family);
  work();
  const now = evidence(family);
  const by = (gateway: string, name: Exclude<keyof EvidenceState, 'delays'>): number =>
    now[gateway]![name] - before[gateway]![name];
  return by;
}

describe('what packets tell', { timeout: 120_000 }, () => {
  before(async () => {
    await lab.up();
    lab.apply('web');
  });
  after(() => lab.down());
  afterEach(() => {
    lab.tryRun('isp2', ['nft', 'delete', 'table', 'inet', 'hole']);
    lab.run('isp2', ['ip', 'link', 'set', 'eth0', 'arp', 'on']);
  });

  for (const family of families) {
    test(`of a line whose ISP is a black hole, and of the other: IPv${family}`, () => {
      lab.run('isp2', ['nft', '-f', '-'], blackHole);
      const by = moved(family, () => {
        const { failed, ...counts } = lab.connect(family, { count: 8, parallel: 8, timeout: 2 });
        assert.equal(failed, 2);
        assert.equal(counts[seen[family].isp1], 6);
      });
      assert.deepEqual([by('fiber', 'syns'), by('fiber', 'synAnswers')], [6, 6]);
      assert.deepEqual([by('lte', 'syns'), by('lte', 'synAnswers')], [2, 0]);
      // Each was sent again after a second.
      assert.equal(by('fiber', 'synRepeats'), 0);
      assert.ok(by('lte', 'synRepeats') >= 2);
      assert.deepEqual([by('fiber', 'unreachables'), by('lte', 'unreachables')], [0, 0]);
    });

    test(`of the router's own datagrams is nothing, for nobody sees their answers: IPv${family}`, () => {
      const by = moved(family, () => lab.ownUdp(family, 10));
      assert.deepEqual([by('fiber', 'asks'), by('lte', 'asks')], [0, 0]);
      const lan = moved(family, () => lab.udp(family, { count: 8, sockets: 8 }));
      assert.deepEqual([lan('fiber', 'asks'), lan('lte', 'asks')], [6, 2]);
      assert.deepEqual([lan('fiber', 'askAnswers'), lan('lte', 'askAnswers')], [6, 2]);
    });
  }

  test("of a next hop that is gone, by the router's own ICMP errors", () => {
    lab.run('isp2', ['ip', 'link', 'set', 'eth0', 'arp', 'off']);
    lab.director('ip neigh flush dev eth2');
    const by = moved(4, () => lab.connect(4, { count: 4, parallel: 4, timeout: 5 }));
    assert.deepEqual([by('fiber', 'unreachables'), by('lte', 'synAnswers')], [0, 0]);
    assert.ok(by('lte', 'unreachables') > 0);
  });
});

/** It still answers who asks for its link address. */
const blackHole = `table inet hole {
  chain prerouting {
    type filter hook prerouting priority raw;
    iifname eth0 icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
    iifname eth0 drop
  }
}\n`;
