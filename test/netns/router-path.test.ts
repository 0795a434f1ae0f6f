// What the way over lvsj0 must not change for the router's own connections: lifetimes, and what the
// networks outside have to say of packets. Needs root.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { families, gatewayOf, serverAddress } from './director-lab.ts';
import { OwnLab } from './own-lab.ts';

const lab = new OwnLab('router-path');

/** Makes the way narrow somewhere. */
const narrow = {
  // Of the route alone: the server would ask for smaller segments by itself if its link were.
  'beyond the ISP': (mtu: number) => {
    for (const isp of [1, 2])
      for (const family of families) {
        const [route = ''] = lab
          .run(`isp${isp}`, ['ip', `-${family}`, 'route', 'show', 'default'])
          .split(' mtu ');
        lab.script(
          `isp${isp}`,
          `ip -${family} route replace ${route.trim().replace(/ metric.*/, '')} mtu ${mtu}`,
        );
      }
  },
  "on the gateway's link": (mtu: number) => {
    for (const isp of [1, 2]) {
      lab.run('director', ['ip', 'link', 'set', `eth${isp}`, 'mtu', String(mtu)]);
      lab.run(`isp${isp}`, ['ip', 'link', 'set', 'eth0', 'mtu', String(mtu)]);
    }
  },
};

/** Sends a line of so many bytes to the echo; how many came back. */
function upload(family: 4 | 6, bytes: number): number {
  const script = `const socket = require('node:net').connect(7, '${serverAddress[family]}');
    let back = 0;
    socket.on('data', (data) => { back += data.length; if (back > ${bytes}) socket.end(); });
    socket.on('close', () => process.stdout.write(String(back)));
    socket.write('x'.repeat(${bytes}) + '\\n');
    setTimeout(() => socket.destroy(), 5000).unref();`;
  return Number(lab.run('director', [process.execPath, '-e', script]));
}

const pathMtu = (family: 4 | 6): string | undefined =>
  / mtu (\d+)/.exec(lab.route(serverAddress[family]))?.[1];

describe("the way of the router's own connections", { timeout: 120_000 }, () => {
  before(async () => {
    await lab.up();
    lab.apply('web');
  });
  after(() => lab.down());
  afterEach(() => lab.assertNoStrays());

  for (const family of families) {
    test(`has the hops that there are: IPv${family}`, () => {
      const to = serverAddress[family];
      const argv = ['traceroute', `-${family}`, '-n', '-q', '1', '-w', '2', '-N', '1', to];
      const hops = lab.run('director', argv).trim().split('\n').slice(1);
      const addresses = hops.map((line) => line.trim().split(/\s+/)[1] as string);
      assert.equal(addresses.length, 2, hops.join('\n'));
      assert.ok(Object.values<string>(gatewayOf[family]).includes(addresses[0] as string));
      assert.equal(addresses[1], to);
      // The longest life can't be made longer, and may not be made shorter.
      lab.ping('director', to, ['-t', '255']);
    });

    for (const [where, narrowTo] of Object.entries(narrow))
      test(`may be narrow ${where}: IPv${family}`, (t) => {
        narrowTo(1400);
        t.after(() => {
          narrowTo(1500);
          lab.director('ip route flush cache; ip -6 route flush cache');
        });
        assert.equal(upload(family, 300_000), 300_001);
        assert.equal(pathMtu(family), '1400');
      });
  }

  test('takes datagrams in several fragments', () => {
    for (const family of families)
      lab.ping('director', serverAddress[family], ['-M', 'dont', '-s', '4000']);
  });

  test("refuses a packet that says it may not be split, with its way's measure", (t) => {
    narrow['beyond the ISP'](1400);
    t.after(() => narrow['beyond the ISP'](1500));
    const ping = (size: number) => {
      const words = ['ping', '-M', 'do', '-c', '2', '-i', '0.2', '-s', String(size)];
      return lab.tryRun('director', [...words, serverAddress[4]]).stdout;
    };
    assert.match(ping(1450), /From (?:192\.0\.2\.1|203\.0\.113\.1) .*mtu = 1400/);
    assert.match(ping(1372), /2 received/);
  });
});
