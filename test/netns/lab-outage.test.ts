// The clients that notice an outage, on a plain router that masquerades, with one uplink. Needs root.
//
//   lan eth0 ── eth0 director eth1 ── eth0 isp1 eth1 ── eth1 internet

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import type { Answer } from '../../src/lab/client-datagrams.ts';
import type { HoldReport } from '../../src/lab/client-hold.ts';
import type { Request } from '../../src/lab/client-requests.ts';
import { clockMs } from '../../src/lab/clock.ts';
import { startDns } from '../../src/lab/dns.ts';
import { setFault } from '../../src/lab/fault.ts';
import { clientProgram, inHost, labDown, labUp } from '../../src/lab/lab.ts';
import { type Isp, internet, planLab } from '../../src/lab/topology.ts';
import { run } from '../../src/util/run.ts';
import { waitUntil } from '../../src/util/wait-until.ts';

const lab = planLab({ name: `t${process.pid}-outage`, isps: 1 });
const [isp] = lab.isps as [Isp];
const [to, dns] = internet.ipv4;
const seen = isp.ipv4.address;
const from = lab.clients.ipv4.slice(0, 4).flatMap((address) => ['--from', address]);

const director = (words: string) => run(inHost(lab.name, 'director', words.split(' ')));

/** A client program, and the lines that it has printed. */
function start<T>(words: string): { child: ChildProcess; lines: T[] } {
  const argv = [...clientProgram, ...words.split(' '), ...from];
  const [command, ...args] = inHost(lab.name, 'lan', argv);
  const child = spawn(command as string, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines: T[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(JSON.parse(line) as T));
  return { child, lines };
}

describe('clients that notice an outage', { timeout: 60_000 }, () => {
  before(async () => {
    await labUp(lab);
    startDns(lab);
    director('iptables -t nat -A POSTROUTING -o eth1 -j MASQUERADE');
  });
  after(() => labDown(lab.name));

  /** Has something running while all is well, while ISP 1 is a black hole for half a second, and after. */
  async function through(lines: unknown[]): Promise<{ at: number; healed: number }> {
    await waitUntil('some answers', () => lines.length >= 20, 10_000);
    const fault = await setFault(lab, isp, { kind: 'blackhole' });
    await waitUntil('half a second', () => clockMs() > fault.at + 500);
    const healed = clockMs();
    await fault.heal();
    await waitUntil('half a second', () => clockMs() > healed + 500);
    return { at: fault.at, healed };
  }

  for (const what of [`--url http://${to}/`, `--dns ${dns}`])
    test(`requests ${what}: fail during the fault, and neither before nor after`, async () => {
      const { child, lines } = start<Request>(`requests ${what} --rate 100 --timeout 0.3`);
      const { at, healed } = await through(lines);
      child.kill();
      await waitUntil('the end', () => child.exitCode !== null);
      const failed = lines.filter(({ error }) => error !== '');
      assert.ok(failed.length >= 30, `${failed.length} failed`);
      // One that has sent its packet just before may wait for the answer.
      for (const { start, end } of failed) {
        assert.ok(start > at - 50 && start < healed + 200, `${start - at} of ${healed - at}`);
        assert.ok(end - start >= 295, `${end - start}`);
      }
      const told = new Set(lines.filter(({ error }) => error === '').map((line) => line.seen));
      assert.deepEqual([...told], [what.startsWith('--url') ? seen : '']);
    });

  test('datagrams: no answer comes during the fault', async () => {
    const { child, lines } = start<Answer>(`datagrams --to ${to} --rate 100`);
    const { at, healed } = await through(lines);
    child.kill();
    const during = lines.filter((line) => line.at > at + 200 && line.at < healed);
    assert.equal(during.length, 0);
    assert.ok(lines.filter((line) => line.at > healed).length >= 20);
    assert.ok(lines.every((line) => line.seen === seen));
  });

  const reject = 'FORWARD -i eth0 -p tcp --dport 77 -j REJECT --reject-with tcp-reset';

  for (const [name, interval, before, askedMost] of [
    ['idle ones when they ask', '--idle', 'ask\n', 1100],
    ['busy ones at once', '--interval 0.05', '', 200],
  ] as const)
    test(`hold: ${name} hear that they are no more, and connect anew`, async () => {
      const { child, lines } = start<HoldReport>(`hold --to ${to} --count 8 ${interval}`);
      const ask = async (line: string): Promise<HoldReport> => {
        const { length } = lines;
        child.stdin?.write(line);
        await waitUntil(line, () => lines.length > length, 10_000);
        return lines.at(-1)!;
      };
      assert.deepEqual(await ask('make\n'), { [seen]: 8 });
      assert.deepEqual((await ask('report\n')).troubles, []);
      director(`iptables -I ${reject}`);
      const at = clockMs();
      child.stdin?.write(before);
      const all = async (what: 'failed' | 'answered') => {
        const { troubles } = await ask('report\n');
        return troubles.length === 8 && troubles.every((trouble) => trouble[what] !== null);
      };
      await waitUntil('RSTs', () => all('failed'));
      director(`iptables -D ${reject}`);
      await waitUntil('answers', () => all('answered'));
      for (const { asked, failed, answered, error, after } of lines.at(-1)!.troubles) {
        assert.ok(asked > at - 50 && asked < at + askedMost, `${asked - at}`);
        assert.ok(failed! >= asked && answered! > failed! && after === seen);
        assert.match(error, /ECONNRESET/);
      }
      child.kill();
    });
});
