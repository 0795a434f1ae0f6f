// ipvsadm -o: each marked datagram of a service is scheduled for itself. Without SNAT, as it must
// be: so the ISPs see the client's own address, and count it as a stranger's. Needs root.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { DirectorLab, gatewayOf, markAll, snatAll } from './director-lab.ts';

const lab = new DirectorLab('ops');
const port = 5000;

const table = (family: 4 | 6, options: string): string => {
  const service = family === 4 ? '-f 1' : '-f 1 -6';
  const { isp1, isp2 } = gatewayOf[family];
  return `
    -A ${service} -s rr ${options}
    -a ${service} -r ${family === 4 ? isp1 : `[${isp1}]:0`} -j
    -a ${service} -r ${family === 4 ? isp2 : `[${isp2}]:0`} -j`;
};

/** Datagrams of one socket, and how many of them each ISP saw. */
function send(family: 4 | 6, count: number): Record<string, number> {
  lab.resetStrays();
  for (let i = 0; i < count; i++) lab.udpUnheard(family, port, 9);
  const seen = lab.strays();
  lab.resetStrays();
  return seen;
}

describe('one-packet scheduling', { timeout: 60_000 }, () => {
  before(() => lab.up());
  after(() => lab.down());
  afterEach(() => {
    lab.clearAdmin();
    lab.tryLvsj('stop');
    lab.run('director', ['conntrack', '-F']);
  });

  for (const family of [4, 6] as const) {
    test(`sends the IPv${family} datagrams of one socket by all gateways in turn`, () => {
      lab.director(markAll);
      lab.restore(table(family, '-o'));
      assert.deepEqual(send(family, 6), { isp1: 3, isp2: 3 });
      assert.deepEqual(lab.connections(), []);
      assert.match(lab.lvsj('ipvsadm -Ln'), /FWM +1( IPv6)? rr ops\n/);
      assert.match(lab.lvsj('ipvsadm -Ln --stats'), /FWM +1( IPv6)? +6 +6 /);
    });

    test(`leaves them on one gateway without it, over IPv${family}`, () => {
      lab.director(markAll);
      lab.restore(table(family, ''));
      assert.deepEqual(Object.values(send(family, 6)).sort(), [0, 6]);
    });
  }

  test('begins and ends with -E, and other services keep their connections', () => {
    lab.director(markAll);
    lab.restore(table(4, ''));
    send(4, 1);
    lab.lvsj('ipvsadm -E -f 1 -s rr -o');
    lab.lvsj('ipvsadm -A -f 2 -s rr');
    assert.match(lab.director('nft list table inet lvsj'), /meta l4proto udp .* return/);
    lab.lvsj('ipvsadm -E -f 1 -s rr');
    assert.doesNotMatch(lab.director('nft list table inet lvsj'), /l4proto udp/);
  });

  test('leaves TCP alone: each connection has its gateway', () => {
    lab.director(`${markAll}\n${snatAll}`);
    lab.restore(table(4, '-o'));
    const counts = lab.connect(4, { count: 10 });
    assert.deepEqual(Object.values(counts), [5, 5]);
    lab.assertNoStrays();
  });
});
