// The daemon's API in a lab: what it tells is what the command line reads from the kernel, what it is told is
// done, and what happens is told to who listens.

import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import type { DirectorEvent } from '../../src/api/store.ts';
import type { GatewayState, PlanState, StatusState } from '../../src/model/state.ts';
import { ConfigLab, everything, gateways } from './config-lab.ts';
import { Daemon } from './daemon.ts';
import { seen } from './director-lab.ts';

const lab = new ConfigLab('api');
const daemon = new Daemon(lab);
const config = `${gateways}${everything}`;

const socket = (): string => `/run/lvsj/netns-${lab.inode('director')}.sock`;

/** What the API answers, with its status. */
function ask(method: string, path: string, body?: string): { status: number; text: string } {
  const data = body === undefined ? [] : ['-H', 'content-type: text/yaml', '--data-binary', '@-'];
  const argv = ['curl', '-s', '--max-time', '10', '--unix-socket', socket(), '-X', method];
  const out = ['-w', '\n%{http_code}', `http://lvsj${path}`];
  const text = lab.run('director', [...argv, ...data, ...out], body ?? '');
  const at = text.lastIndexOf('\n');
  return { status: Number(text.slice(at)), text: text.slice(0, at) };
}

function get<T>(path: string): T {
  const { status, text } = ask('GET', path);
  assert.equal(status, 200, text);
  return JSON.parse(text) as T;
}

describe('the daemon', { timeout: 120_000 }, () => {
  before(async () => {
    await lab.up();
    await daemon.start(config);
    await daemon.until('its socket', () => lab.tryLvsj('status').stdout.includes('process'));
  });
  after(async () => {
    await daemon.end();
    await lab.down();
  });

  test('has a socket that is root’s alone', () => {
    assert.equal((statSync(socket()).mode & 0o777).toString(8), '600');
  });

  test('tells what lvsj reads by itself', () => {
    lab.connect(4, { count: 4 });
    for (const noun of ['gateway', 'service', 'rule']) {
      const read = JSON.parse(lab.lvsj(`${noun} --json`)) as { name: string }[];
      const told = get<{ name: string }[]>(`/v1/${noun}s`);
      assert.deepEqual(
        told.map(({ name }) => name),
        read.map(({ name }) => name),
      );
    }
    assert.equal(get<StatusState>('/v1/status').daemon?.pid, daemon.pid);
    const page = get<{ items: unknown[]; total: number }>('/v1/connections?protocol=tcp&limit=2');
    assert.deepEqual([page.items.length, page.total], [2, 4]);
  });

  test('plans, applies and refuses a text', () => {
    const wish = config.replace('fiber: 1', 'fiber: 3').replace('rr', 'wrr');
    const { plan } = JSON.parse(ask('POST', '/v1/plan', wish).text) as { plan: PlanState };
    assert.ok(plan.changes.some(({ detail }) => detail === 'weight 1 -> 3'));
    assert.equal(ask('POST', '/v1/apply', wish).status, 200);
    assert.deepEqual(lab.connect(4, { count: 8 }), { [seen[4].isp1]: 6, [seen[4].isp2]: 2 });
    const refused = ask('POST', '/v1/apply', 'gatways: {}');
    assert.equal(refused.status, 400);
    assert.match(refused.text, /nearest: gateways|gatways/);
  });

  test('takes its own file again when asked', () => {
    assert.match(lab.lvsj('reload'), /weight 3 -> 1/);
    assert.deepEqual(lab.connect(4, { count: 8 }), { [seen[4].isp1]: 4, [seen[4].isp2]: 4 });
  });

  test('drains a gateway, and tells who listens', async () => {
    const url = 'http://lvsj/v1/events';
    const curl = ['curl', '-sN', '--max-time', '20', '--unix-socket', socket(), url];
    const listening = lab.start('director', curl);
    await listening.started;
    const patch = [
      '-X',
      'PATCH',
      '-H',
      'content-type: application/json',
      '-d',
      '{"admin":"drained"}',
    ];
    const path = 'http://lvsj/v1/gateways/fiber';
    lab.run('director', ['curl', '-sf', '--unix-socket', socket(), ...patch, path]);
    const states = get<GatewayState[]>('/v1/gateways/fiber').map(({ admin }) => admin);
    assert.deepEqual(states, ['drained', 'drained']);
    assert.deepEqual(lab.connect(4, { count: 4 }), { [seen[4].isp2]: 4 });
    lab.lvsj('gateway fiber enable');
    listening.kill();
    const data = (await listening.result).split('\n').filter((line) => line.startsWith('data: '));
    const events = data.map((line) => JSON.parse(line.slice(6)) as DirectorEvent);
    assert.deepEqual(
      events.flatMap((event) => (event.type === 'gateway' ? [[event.name, event.admin]] : [])),
      [
        ['fiber', 'drained'],
        ['fiber', 'drained'],
      ],
    );
  });

  test('keeps an old configuration when its file is bad, and says why', async () => {
    lab.write('gatways: {}');
    const error = () => get<StatusState>('/v1/status').daemon?.error ?? '';
    await daemon.until('a refusal', () => /gatways/.test(error()));
    assert.match(lab.lvsj('status'), /gatways/);
    assert.deepEqual(lab.connect(4, { count: 8 }), { [seen[4].isp1]: 4, [seen[4].isp2]: 4 });
    await daemon.edit(config);
    assert.equal(get<StatusState>('/v1/status').daemon?.error, '');
  });

  test('tells Prometheus', () => {
    const { text } = ask('GET', '/metrics');
    assert.match(text, /^lvsj_gateway_available\{.*gateway="fiber".*\} 1$/m);
  });

  test('is to be ended before the director is stopped', () => {
    const { status, stderr } = lab.tryLvsj('stop');
    assert.notEqual(status, 0);
    assert.match(stderr, /the daemon .* would start the director again/);
  });

  test('ends when it is asked, and connections go on', async () => {
    const download = lab.download(4, 200_000, 200_000);
    await download.started;
    await daemon.end();
    assert.equal((await download.result).bytes, 200_000);
    assert.deepEqual(lab.connect(4, { count: 8 }), { [seen[4].isp1]: 4, [seen[4].isp2]: 4 });
  });
});
