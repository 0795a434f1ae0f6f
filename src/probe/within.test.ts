// A probe's time: when it ends, and what it leaves.

import assert from 'node:assert/strict';
import { getEventListeners, once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { describe, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { waitSync } from '../util/wait-sync.ts';
import { ok, unanswered } from './answer.ts';
import { within } from './within.ts';

const late = unanswered(20);

describe('within', () => {
  test('ends what takes too long, by its signal', async () => {
    let ended = false;
    const { signal } = new AbortController();
    const answer = await within({ ms: 20, late, signal }, async (inner) => {
      await once(inner, 'abort');
      ended = true;
      throw inner.reason;
    });
    assert.deepEqual({ answer, ended }, { answer: late, ended: true });
  });

  test('ends with the signal that it is given, which says nothing of the gateway', async () => {
    const stop = new AbortController();
    const running = within({ ms: 60_000, late, signal: stop.signal }, async (inner) => {
      await once(inner, 'abort');
      throw inner.reason;
    });
    stop.abort();
    assert.equal((await running).outcome, 'void');
  });

  test('asks nobody once the signal has come', async () => {
    const work = () => assert.fail('asked');
    const { outcome } = await within({ ms: 20, late, signal: AbortSignal.abort() }, work);
    assert.equal(outcome, 'void');
  });

  test('leaves nothing on the signal that it is given', async () => {
    const { signal } = new AbortController();
    await within({ ms: 20, late, signal }, async () => ok(1));
    assert.deepEqual(getEventListeners(signal, 'abort'), []);
  });

  test('takes an answer that came while this process did something else', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const { signal } = new AbortController();
    const answer = await within({ ms: 20, late, signal }, async (inner) => {
      // From here on timers are looked at before the network.
      await setImmediate();
      const socket = connect({ port, host: '127.0.0.1', signal: inner });
      process.nextTick(waitSync, () => false, 100);
      await once(socket, 'connect');
      socket.destroy();
      return ok(1);
    });
    server.close();
    assert.equal(answer.outcome, 'ok');
  });
});
