// The lab itself, with a plain masquerading router where the director will be. Needs root.
//
//   lan eth0 ── eth0 director eth1 ── eth0 isp1 eth1 ── eth1 internet
//                             eth2 ── eth0 isp2 eth1 ── eth2

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { clientProgram, inHost, labDown, labExec, labList, labUp } from '../../src/lab/lab.ts';
import { internet, type Lab, planLab } from '../../src/lab/topology.ts';
import { run } from '../../src/util/run.ts';

const prefix = `t${process.pid}`;
const lab = planLab({ name: `${prefix}-a` });
// Its name begins with the other's, which must not confuse them.
const neighbour = planLab({ name: `${prefix}-a-b`, isps: 3 });

const url = `http://${internet.ipv4[0]}/`;
const url6 = `http://[${internet.ipv6[0]}]/`;
const [client] = lab.clients.ipv4 as [string];
const [client6] = lab.clients.ipv6 as [string];

/** What the lab's client program prints, run on the LAN. */
function fromLan(on: Lab, ...args: string[]): unknown {
  return JSON.parse(run(inHost(on.name, 'lan', [...clientProgram, ...args])));
}

const fromAll = (addresses: string[]) => addresses.flatMap((address) => ['--from', address]);

/** One connection by IPv4 and one by IPv6. */
function fromBoth(on: Lab, ...options: string[]): unknown[] {
  return [
    fromLan(on, 'connect', '--url', url, '--from', client, ...options),
    fromLan(on, 'connect', '--url', url6, '--from', client6, ...options),
  ];
}

/** The director as a plain router with one uplink. */
function routeVia(on: Lab, number: number): void {
  const isp = on.isps[number - 1]!;
  const via = (family: string, gateway: string) =>
    run(inHost(on.name, 'director', ['ip', family, 'route', 'replace', 'default', 'via', gateway]));
  via('-4', isp.ipv4.gateway);
  via('-6', isp.ipv6.gateway);
  const table = `table inet plain
    delete table inet plain
    table inet plain {
      chain out {
        type nat hook postrouting priority srcnat
        oifname ${isp.link} masquerade
      }
    }`;
  run(inHost(on.name, 'director', ['nft', '-f', '-']), { input: table });
}

const namespacesOf = (name: string) =>
  (existsSync('/run/netns') ? readdirSync('/run/netns') : []).filter((ns) =>
    ns.startsWith(`lvsj-${name}-`),
  );

/** The processes of the given network namespaces, by inode: these also find what has no name any more. */
function processesIn(inodes: number[]): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return inodes.includes(Number(/\d+/.exec(readlinkSync(`/proc/${pid}/ns/net`))?.[0]));
    } catch {
      return false; // no process, or one that has just ended
    }
  });
}

async function removeAll(): Promise<void> {
  for (const { name } of labList().filter(({ name }) => name.startsWith(prefix))) {
    await labDown(name);
  }
}

describe('lab', { timeout: 60_000 }, () => {
  before(async () => {
    await Promise.all([labUp(lab), labUp(neighbour)]);
    routeVia(lab, 1);
    routeVia(neighbour, 3);
  });
  after(removeAll);

  test('every client address reaches the internet host through the director', () => {
    const { ipv4, ipv6 } = lab.clients;
    const options = ['--count', '64', '--by-client'];
    assert.deepEqual(
      fromLan(lab, 'connect', '--url', url, ...fromAll(ipv4), ...options),
      Object.fromEntries(ipv4.map((address) => [address, { '192.0.2.2': 2 }])),
    );
    assert.deepEqual(
      fromLan(lab, 'connect', '--url', url6, ...fromAll(ipv6), ...options),
      Object.fromEntries(ipv6.map((address) => [address, { '2001:db8:1::2': 2 }])),
    );
  });

  test('a lab beside it has its own ISPs, and the same addresses', () => {
    assert.deepEqual(fromBoth(neighbour), [{ '100.64.3.2': 1 }, { '2001:db8:3::2': 1 }]);
  });

  test('the director may change its uplink', (t) => {
    routeVia(lab, 2);
    t.after(() => routeVia(lab, 1));
    assert.deepEqual(fromBoth(lab), [{ '203.0.113.2': 1 }, { '2001:db8:2::2': 1 }]);
  });

  test('an ISP refuses a source address that it did not give', (t) => {
    // Without masquerade, which would give the right one.
    run(inHost(lab.name, 'director', ['nft', 'delete', 'table', 'inet', 'plain']));
    t.after(() => routeVia(lab, 1));
    for (const [target, from] of [
      [url, '203.0.113.2'],
      [url6, '2001:db8:2::2'],
    ] as const) {
      const argv = [...clientProgram, 'connect', '--url', target, '--from', from];
      assert.equal(run(inHost(lab.name, 'director', argv)), '{"failed":1}\n');
    }
  });

  test('a download is whole, by its rate, and seen from the right address', () => {
    const download = (query: string) =>
      fromLan(lab, 'download', '--url', `${url}bytes?${query}`, '--from', client);
    const fast = download('n=20000001') as { seconds: number };
    assert.deepEqual(fast, {
      bytes: 20_000_001,
      ok: true,
      address: '192.0.2.2',
      seconds: fast.seconds,
    });
    const paced = download('n=100000&rate=200000') as { seconds: number; ok: boolean };
    assert.ok(paced.ok && paced.seconds >= 0.45, `${paced.seconds} s for half a second's bytes`);
  });

  test('a download with other bytes than the pattern is not ok', () => {
    const { ok, error } = fromLan(lab, 'download', '--url', url, '--from', client) as {
      ok: boolean;
      error: string;
    };
    assert.deepEqual([ok, error], [false, 'wrong bytes between 0 and 10']);
  });

  test('datagrams are echoed from every address of the internet host', () => {
    const udp = (to: string, from: string) =>
      fromLan(lab, 'udp', '--to', to, '--from', from, '--count', '40', '--sockets', '8');
    for (const to of internet.ipv4) assert.deepEqual(udp(to, client), { '192.0.2.2': 40 });
    for (const to of internet.ipv6) assert.deepEqual(udp(to, client6), { '2001:db8:1::2': 40 });
  });

  test('an ISP that was cut off comes back as it was', () => {
    const setLink = (state: string) =>
      run(inHost(lab.name, 'isp1', ['ip', 'link', 'set', 'eth0', state]));
    setLink('down');
    assert.deepEqual(fromBoth(lab, '--timeout', '0.2'), [{ failed: 1 }, { failed: 1 }]);
    setLink('up');
    assert.deepEqual(fromBoth(lab), [{ '192.0.2.2': 1 }, { '2001:db8:1::2': 1 }]);
  });

  test('what gets no answer is counted as failed', (t) => {
    const closed = `http://${internet.ipv4[0]}:81/`;
    const options = ['--from', client, '--timeout', '0.2', '--count', '3'];
    assert.deepEqual(fromLan(lab, 'connect', '--url', closed, ...options), { failed: 3 });
    const blackhole = (verb: string) =>
      run(inHost(lab.name, 'isp1', ['ip', 'route', verb, 'blackhole', internet.ipv4[1]]));
    blackhole('add');
    t.after(() => blackhole('del'));
    const silent = `http://${internet.ipv4[1]}/`;
    assert.deepEqual(fromLan(lab, 'connect', '--url', silent, ...options), { failed: 3 });
    const to = ['--to', internet.ipv4[1]];
    assert.deepEqual(fromLan(lab, 'udp', ...to, ...options), { failed: 3 });
  });

  test('exec returns the status of the program, and refuses hosts and labs that are not there', async () => {
    assert.equal(await labExec(lab.name, 'isp2', ['true']), 0);
    assert.equal(await labExec(lab.name, 'internet', ['sh', '-c', 'exit 7']), 7);
    await assert.rejects(labExec(lab.name, 'isp3', ['true']), /no host "isp3", but lan, director,/);
    await assert.rejects(labExec(`${prefix}-z`, 'lan', ['true']), /there is no lab/);
  });

  test('up refuses a lab that is up, and leaves it alone', async () => {
    await assert.rejects(labUp(lab), /is up already/);
    assert.deepEqual(fromLan(lab, 'connect', '--url', url, '--from', client), { '192.0.2.2': 1 });
  });

  test('an up that fails half-way takes itself down', async () => {
    const broken = planLab({ name: `${prefix}-broken` });
    broken.hosts.at(-1)!.routes.push({ to: '10.99.0.0/24', via: '10.98.0.1' });
    await assert.rejects(labUp(broken), /10\.98\.0\.1|Nexthop has invalid gateway/);
    assert.deepEqual(
      labList().filter(({ name }) => name === broken.name),
      [],
    );
  });

  test('down removes a lab of which only a part was made', async () => {
    const name = `${prefix}-half`;
    mkdirSync(`/run/lvsj/lab-${name}`);
    run(['ip', 'netns', 'add', `lvsj-${name}-isp2`]);
    // As an `ip netns add` that was killed leaves it: a name without a namespace.
    writeFileSync(`/run/netns/lvsj-${name}-lan`, '');
    assert.deepEqual(labList().find((entry) => entry.name === name)?.hosts, ['lan', 'isp2']);
    assert.equal(await labDown(name), true);
    assert.deepEqual(namespacesOf(name), []);
    assert.equal(await labDown(name), false);
  });

  test('down leaves no namespace, no process and no file, and the other lab as it was', async () => {
    const inodes = namespacesOf(neighbour.name).map((ns) => statSync(`/run/netns/${ns}`).ino);
    const stubborn = 'trap "" TERM; echo; while :; do read x; done';
    const [command, ...args] = inHost(neighbour.name, 'lan', ['sh', '-c', stubborn]);
    const child = spawn(command!, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    assert.equal(processesIn(inodes).length, 2, 'its server and the stubborn one');

    assert.equal(await labDown(neighbour.name), true);
    assert.deepEqual(namespacesOf(neighbour.name), []);
    assert.deepEqual(processesIn(inodes), []);
    assert.ok(!existsSync(`/run/lvsj/lab-${neighbour.name}`));
    assert.deepEqual(fromLan(lab, 'connect', '--url', url, '--from', client), { '192.0.2.2': 1 });
  });
});
