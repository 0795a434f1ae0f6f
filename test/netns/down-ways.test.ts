// Gateways that go down, and the ways on which their connections hear of it: a full pipe, addresses that
// stay, the router's own, marks that others set, what conntrack forgets, and where no gateway is left.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { clockMs } from '../../src/lab/clock.ts';
import { core } from '../../src/lab/isps.ts';
import type { Family } from '../../src/model/table.ts';
import { ConfigLab, gateways } from './config-lab.ts';
import { families, gatewayOf, markAll, seen, serverAddress, snatAll } from './director-lab.ts';
import { GatewayControl } from './gateway-control-run.ts';
import { Hold } from './hold.ts';
import { startSteady } from './steady.ts';

const lab = new ConfigLab('ways');
const control = new GatewayControl(lab);

/** All that the LAN begins, by both gateways in turn. */
const all = (more = 'on-down: reset') => `
services:
  all: { fwmark: 1, scheduler: rr, gateways: { fiber: 1, lte: 1 }, ${more} }
rules:
  - { service: all }`;

const soonMs = 400;

/** Writes as fast as it goes and reads what comes back; says when it was told of the end, and how. */
const upload = (family: Family): string => `
  const { createConnection } = require('node:net');
  const socket = createConnection({ host: '${serverAddress[family]}', port: 7, localAddress: '${lab.clients(family)[0]}' });
  const bytes = Buffer.from('x'.repeat(65535) + '\\n');
  let echoed = 0;
  const fill = () => { while (socket.write(bytes)); };
  socket.on('connect', fill).on('drain', fill).on('data', ({ length }) => {
    if (echoed < 3e6 && (echoed += length) >= 3e6) console.error('full');
  }).on('error', ({ code }) => console.log(JSON.stringify({ code, at: Number(process.hrtime.bigint()) / 1e6 })));`;

/** The error that a connected UDP socket gets for its datagram, or nothing within a second. */
const connectedUdp = (family: Family): string => `
  const socket = require('node:dgram').createSocket('udp${family}');
  setTimeout(() => process.exit(), 1000).unref();
  socket.on('error', ({ code }) => { console.log(code); socket.close(); });
  socket.connect(7, '${serverAddress[family]}', () => socket.send('x'));`;

const lanOf = { 4: '10.0.0.0/24', 6: '2001:db8:10::/64' } as const;

/** Both ISPs take the LAN's own addresses; answers come by the second. */
function publishLan(): void {
  for (const family of families) {
    const name = family === 4 ? 'ipv4' : 'ipv6';
    for (const isp of lab.lab.isps)
      lab.script(
        isp.host,
        `ip -${family} route replace ${lanOf[family]} via ${isp[name].address}
         ip -${family} rule add pref 9 from ${lanOf[family]} iif eth0 lookup main`,
      );
    const via = core(lab.lab.isps[1]!, 1)[name];
    lab.run('internet', `ip -${family} route replace ${lanOf[family]} via ${via}`.split(' '));
  }
}

const inBoth = async (what: (family: Family) => Promise<void>): Promise<void> => {
  await Promise.all(families.map(what));
};

describe('a gateway that is down', { timeout: 180_000 }, () => {
  before(() => lab.up());
  after(async () => {
    control.end();
    await lab.down();
  });
  afterEach(() => {
    lab.tryLvsj('stop');
    lab.clearAdmin();
    lab.run('director', ['conntrack', '-F']);
    lab.resetStrays();
  });

  test('ends uploads with a full pipe', async () => {
    lab.apply(gateways + all());
    for (const family of families) {
      const running = lab.start('lan', [process.execPath, '-e', upload(family)]);
      await running.started;
      const [entry = ''] = lab.connections().filter((line) => line.includes(serverAddress[family]));
      const link = entry.includes(seen[family].isp1.slice(0, -1)) ? 'fiber' : 'lte';
      const at = await control.down(family, link);
      const { code, at: failed } = JSON.parse(await running.result);
      assert.ok(['ECONNRESET', 'EPIPE'].includes(code), code);
      assert.ok(failed - at < soonMs, `${failed - at} ms`);
      await control.tell('up', control.idOf(family, link));
    }
  });

  test('leaves TCP alone where both gateways leave it its address: it goes on by the other', async () => {
    publishLan();
    const keepSource = gateways.replaceAll('} }', '}, snat: none }');
    lab.apply(keepSource + all());
    await inBoth(async (family) => {
      const steady = await startSteady(lab, family, { count: 20, interval: 0.05 });
      await steady.rounds(1);
      await control.down(family);
      await steady.rounds(4);
      const { lived, broken, moved } = await steady.end();
      assert.deepEqual({ lived, broken, moved }, { lived: 20, broken: 0, moved: 0 });
      const gateway = gatewayOf[family].isp2;
      const mine = lab.connections().filter((line) => line.includes(serverAddress[family]));
      assert.ok(
        mine.every((line) => line.includes(gateway)),
        mine.join('\n'),
      );
    });
  });

  test("tells the router's own connections, idle ones too", async () => {
    lab.apply(`router: all\n${gateways}${all()}`);
    await inBoth(async (family) => {
      const { isp1, isp2 } = seen[family];
      const from = [family === 4 ? '0.0.0.0' : '::'];
      const hold = new Hold(lab, family, '--count 20 --idle', { host: 'director', from });
      try {
        assert.deepEqual(await hold.make(), { [isp1]: 10, [isp2]: 10 });
        await control.down(family);
        const at = await control.tell('poke', control.idOf(family, 'fiber'));
        const troubles = await hold.troubles(10);
        assert.equal(troubles.length, 10);
        for (const { failed, error, after: address } of troubles) {
          assert.match(error, /ECONNRESET/);
          assert.equal(address, isp2);
          assert.ok(failed! - at < soonMs, `${failed! - at} ms`);
        }
      } finally {
        hold.end();
      }
    });
  });

  test('reaches connections whose every packet the admin marks anew', async () => {
    lab.lvsj('start');
    lab.restore(`-A -f 1 -s rr
      -a -f 1 -r 192.0.2.1 -j
      -a -f 1 -r 203.0.113.1 -j`);
    lab.director(markAll);
    lab.director(snatAll);
    await control.tell('on-down reset');
    const { isp1, isp2 } = seen[4];
    const hold = new Hold(lab, 4, '--count 20 --interval 0.05');
    const udp = await startSteady(lab, 4, { count: 20, udp: true, interval: 0.05 });
    try {
      assert.deepEqual(await hold.make(), { [isp1]: 10, [isp2]: 10 });
      await control.tell('down', 1);
      const troubles = await hold.troubles(10);
      assert.equal(troubles.length, 10);
      for (const { error, failed, asked } of troubles) {
        assert.match(error, /ECONNRESET/);
        assert.ok(failed! - asked < soonMs, `${failed! - asked} ms`);
      }
      await udp.rounds(4);
      const { lived, moved } = await udp.end();
      assert.deepEqual({ lived, moved }, { lived: 20, moved: 10 });
    } finally {
      hold.end();
      udp.kill();
    }
  });

  test('has all that conntrack knows of it forgotten, and nothing else', async () => {
    lab.apply(gateways + all());
    const entries = (family: Family, name: string): number => {
      const mark = `0x${control.idOf(family, name).toString(16)}000000/0xff000000`;
      const listing = lab.run('director', ['conntrack', '-L', '-f', `ipv${family}`, '-m', mark]);
      return listing.split('\n').filter((line) => line !== '').length;
    };
    for (const family of families) lab.udp(family, { sockets: 1000, count: 1000 });
    for (const family of families) {
      assert.deepEqual([entries(family, 'fiber'), entries(family, 'lte')], [500, 500]);
      await control.tell('forget', control.idOf(family, 'fiber'));
      assert.deepEqual([entries(family, 'fiber'), entries(family, 'lte')], [0, 500]);
    }
    await control.tell('on-down keep');
    await control.tell('forget', control.idOf(4, 'lte'), control.idOf(6, 'lte'));
    for (const family of families) assert.equal(entries(family, 'lte'), 500);
  });

  test('and no other one: new connections are refused at once with last-resort unreachable', async () => {
    lab.apply(gateways + all('last-resort: unreachable'));
    for (const family of families) {
      await control.down(family, 'fiber');
      await control.down(family, 'lte');
      const start = clockMs();
      const failures = lab.connect(family, { count: 50, parallel: 50 });
      assert.equal(failures.failed, 50);
      assert.match(Object.keys(failures).join(), /ECONNREFUSED/);
      assert.ok(clockMs() - start < 2000);
      assert.match(lab.run('lan', [process.execPath, '-e', connectedUdp(family)]), /EACCES|EHOST/);
    }
  });
});
