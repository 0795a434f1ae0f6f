// Hooks with real programs: what they are told, in which order, and that none holds up another.

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { HookConfig } from '../model/config.ts';
import type { HealthChange } from '../model/health.ts';
import { makeLog } from '../util/log.ts';
import { waitUntil } from '../util/wait-until.ts';
import { Hooks } from './hooks.ts';

interface Line {
  level: string;
  msg: string;
  [field: string]: unknown;
}

const down: HealthChange = {
  ...{ name: 'fiber', family: 4, link: 'eth1', id: 7, from: 'suspect', health: 'down' },
  ...{ reason: '2 of 2 probes fail', since: '2026-01-02T03:04:05.678Z', incident: '0a1b2c3d' },
};
const recovering: HealthChange = { ...down, from: 'down', health: 'recovering' };
const up: HealthChange = { ...down, from: 'recovering', health: 'up', reason: '' };

let folder: string;
let lines: Line[];
let hooks: Hooks;

const sh = (script: string, more: Partial<HookConfig> = {}): HookConfig => ({
  ...{ on: [], command: ['/bin/sh', '-c', `cd ${folder}; ${script}`], timeoutMs: 10_000 },
  ...more,
});

const path = (name: string): string => join(folder, name);
const text = (name: string): string => readFileSync(path(name), 'utf8');
const exists = (name: string) => waitUntil(name, () => existsSync(path(name)));
const logged = (count: number) => waitUntil(`${count} lines`, () => lines.length >= count);

/** Waits for the file `go`. */
const gate = 'until [ -e go ]; do sleep 0.01; done';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lvsj-hooks-'));
  lines = [];
  hooks = new Hooks(makeLog({ form: 'json', write: (line) => lines.push(JSON.parse(line)) }));
});

afterEach(async () => {
  await hooks.close();
  rmSync(folder, { recursive: true });
});

describe('a hook', () => {
  test('is told what happened', async () => {
    hooks.told({ ...down, reason: 'it said "a\u0000b\nc"' }, [
      sh('env | grep ^LVSJ_ | sort > env; echo heard; echo but >&2'),
    ]);
    await logged(1);
    assert.deepEqual(text('env').trim().split('\n'), [
      'LVSJ_FAMILY=4',
      'LVSJ_FROM=suspect',
      'LVSJ_GATEWAY=fiber',
      'LVSJ_ID=7',
      'LVSJ_INCIDENT=0a1b2c3d',
      'LVSJ_LINK=eth1',
      'LVSJ_REASON=it said "a b c"',
      'LVSJ_SINCE=2026-01-02T03:04:05.678Z',
      'LVSJ_TO=down',
    ]);
    const { level, msg, gateway, family, to, incident, stdout, stderr } = lines[0]!;
    assert.deepEqual([level, msg, stdout, stderr], ['info', 'hook was told', 'heard', 'but']);
    assert.deepEqual([gateway, family, to, incident], ['fiber', 4, 'down', '0a1b2c3d']);
  });

  test('gets its arguments as they are', async () => {
    const command = ['/usr/bin/printf', '[%s]', '$(id); *', 'b c'];
    hooks.told(down, [{ on: [], command, timeoutMs: 10_000 }]);
    await logged(1);
    assert.equal(lines[0]?.stdout, '[$(id); *][b c]');
  });

  test('is told of what it asks for alone', async () => {
    const hook = sh('echo $LVSJ_TO >> told', { on: ['down', 'up'] });
    hooks.told(recovering, [hook]);
    hooks.told(up, [hook]);
    await logged(1);
    assert.equal(text('told'), 'up\n');
  });

  for (const [what, script, msg] of [
    ['fails', 'echo no >&2; exit 3', 'hook failed: exit code 3'],
    ['is killed', 'kill -9 $$', 'hook failed: a signal ended it'],
  ] as const)
    test(`that ${what} is logged`, async () => {
      hooks.told(down, [sh(script)]);
      await logged(1);
      assert.deepEqual([lines[0]?.level, lines[0]?.msg], ['warn', msg]);
    });

  test('that is not there is logged', async () => {
    hooks.told(down, [{ on: [], command: ['/nowhere/told'], timeoutMs: 1000 }]);
    await logged(1);
    assert.match(lines[0]?.msg ?? '', /^hook failed: \/nowhere\/told is not installed/);
  });

  test('that says too much is clipped', async () => {
    hooks.told(down, [sh('yes | head -c 5000')]);
    await logged(1);
    assert.equal(String(lines[0]?.stdout).length, 1001);
  });

  test('that hangs is killed at its timeout, with all that it started', async () => {
    hooks.told(down, [
      sh('sleep 1000 & echo $! > pid.new; mv pid.new pid; wait', { timeoutMs: 1000 }),
    ]);
    await logged(1);
    assert.equal(lines[0]?.msg, 'hook was killed after 1000 ms');
    const stat = `/proc/${Number(text('pid'))}/stat`;
    await waitUntil(
      'its end',
      () => !existsSync(stat) || / [ZX] /.test(readFileSync(stat, 'utf8')),
    );
  });
});

describe('a hook that still runs', () => {
  const slow = () => sh(`echo $LVSJ_TO >> told; touch begun; ${gate}`);

  test('is told of the newest change afterwards; those between are skipped', async () => {
    for (const change of [down, recovering, down, up]) hooks.told(change, [slow()]);
    await exists('begun');
    writeFileSync(path('go'), '');
    await logged(4);
    assert.equal(text('told'), 'down\nup\n');
    assert.deepEqual(
      lines.map(({ msg, to }) => `${to}: ${msg}`),
      [
        'recovering: hook is skipped: it still runs for an earlier change',
        'down: hook is skipped: it still runs for an earlier change',
        'down: hook was told',
        'up: hook was told',
      ],
    );
  });

  test('holds up no other hook, no other gateway and no other family', async () => {
    const quick = sh('touch "quick.$LVSJ_GATEWAY.$LVSJ_FAMILY"');
    hooks.told(down, [slow(), quick]);
    await exists('quick.fiber.4');
    const each = sh(`touch "each.$LVSJ_GATEWAY.$LVSJ_FAMILY"; ${gate}`);
    for (const change of [down, { ...down, name: 'lte' }, { ...down, family: 6 as const }])
      hooks.told(change, [each]);
    for (const name of ['each.fiber.4', 'each.lte.4', 'each.fiber.6']) await exists(name);
    assert.deepEqual(
      lines.map(({ msg }) => msg),
      ['hook was told'],
    );
  });

  test('is killed when the daemon ends, and what waits is forgotten', async () => {
    for (const change of [down, up]) hooks.told(change, [slow()]);
    await exists('begun');
    await hooks.close();
    hooks.told(up, [slow()]);
    assert.deepEqual(
      lines.map(({ msg }) => msg),
      ['hook was killed: the daemon ends'],
    );
    assert.equal(text('told'), 'down\n');
  });
});
