// Notices as systemd gets them: on real Unix datagram sockets.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import koffi from 'koffi';
import { UserError } from '../util/error.ts';
import * as libbpf from './libbpf.ts';
import { formatNotice, notify, watchdogIntervalMs } from './notify.ts';

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const MSG_DONTWAIT = 0x40;

const bind = koffi
  .load('libc.so.6')
  .func('int bind(int fd, const void *address, uint32 address_length)');

/** Plays systemd: listens at a name, has `use` send there, and returns what came. */
function received(name: string, use: () => void): string {
  const fd = libbpf.socket(AF_UNIX, SOCK_DGRAM, 0);
  try {
    const address = Buffer.from(`\u0001\0${name.replace(/^@/, '\0')}`);
    assert.equal(bind(fd, address, address.length), 0, `bind ${name}`);
    use();
    const buffer = Buffer.alloc(4096);
    const length = libbpf.receive(fd, buffer, buffer.length, MSG_DONTWAIT);
    return buffer.toString('utf8', 0, Math.max(0, length));
  } finally {
    libbpf.closeFd(fd);
  }
}

describe('notify', () => {
  test('sends a datagram to a path', (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'lvsj-notify-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const path = join(folder, 'notify');
    const text = received(path, () => {
      assert.equal(notify({ ready: true, status: 'two gateways' }, { NOTIFY_SOCKET: path }), true);
    });
    assert.equal(text, 'READY=1\nSTATUS=two gateways');
  });

  test('sends a datagram to an abstract name', () => {
    const name = `@lvsj-notify-test-${process.pid}`;
    const text = received(name, () => notify({ watchdog: true }, { NOTIFY_SOCKET: name }));
    assert.equal(text, 'WATCHDOG=1');
  });

  test('does nothing where no systemd asks', () => {
    assert.equal(notify({ ready: true }, {}), false);
    assert.equal(notify({ ready: true }, { NOTIFY_SOCKET: '' }), false);
  });

  test('says which socket takes nothing, and why', () => {
    const tell = (socket: string) => () => notify({ ready: true }, { NOTIFY_SOCKET: socket });
    assert.throws(
      tell('/nowhere/notify'),
      new UserError('tell systemd by NOTIFY_SOCKET=/nowhere/notify: no such file or directory'),
    );
    assert.throws(tell('vsock:2:1234'), /absolute path or @name/);
    assert.throws(tell(`/${'x'.repeat(107)}`), /less than 108 bytes/);
  });
});

describe('a notice', () => {
  test('has a line for each thing that is so', () => {
    assert.equal(formatNotice({ stopping: true, ready: false }), 'STOPPING=1');
    assert.equal(formatNotice({ status: 'a\nREADY=1' }), 'STATUS=a READY=1');
  });

  test('of a reload tells the time that systemd compares', () => {
    const [line, time] = formatNotice({ reloading: true }).split('\n');
    assert.equal(line, 'RELOADING=1');
    const us = Number(/^MONOTONIC_USEC=(\d+)$/.exec(time ?? '')?.[1]);
    const nowUs = Number(process.hrtime.bigint() / 1000n);
    assert.ok(us <= nowUs && us > nowUs - 10e6, `${us} is not just before ${nowUs}`);
  });
});

describe('the watchdog', () => {
  test('is told twice as often as systemd asks', () => {
    assert.equal(watchdogIntervalMs({ WATCHDOG_USEC: '30000000' }, 7), 15_000);
    assert.equal(watchdogIntervalMs({ WATCHDOG_USEC: '30000000', WATCHDOG_PID: '7' }, 7), 15_000);
  });

  test('of another process, or none, is not ours', () => {
    assert.equal(watchdogIntervalMs({}, 7), undefined);
    assert.equal(watchdogIntervalMs({ WATCHDOG_USEC: '0' }, 7), undefined);
    assert.equal(
      watchdogIntervalMs({ WATCHDOG_USEC: '30000000', WATCHDOG_PID: '8' }, 7),
      undefined,
    );
  });
});
