// What belongs to a round, and what comes of probes that ask nobody.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ProbeConfig } from '../model/config.ts';
import type { ProbeResult, ProbeTarget } from '../monitor/types.ts';
import { runRound } from './round.ts';

const http = (url: string): ProbeConfig => ({ kind: 'http', url, status: [204], body: '' });
const ping: ProbeConfig = { kind: 'ping', address: '192.0.2.7' };
const command = (...words: string[]): ProbeConfig => ({ kind: 'command', command: words });

/** Without an address: nothing is sent. */
const target: ProbeTarget = {
  gateway: 'fiber',
  link: 'lo',
  family: 4,
  nextHop: '192.0.2.1',
  source: '',
  mark: 0x1000000,
  firstOfLink: true,
  resolvers: [],
};
const never = new AbortController().signal;

describe('a round', () => {
  test('without an address says nothing of what is beyond the link', async () => {
    const probes: ProbeConfig[] = [ping, http('http://example.org/')];
    const results = await runRound(probes, target, { timeoutMs: 100, signal: never });
    assert.deepEqual(
      results.map(({ outcome, detail }) => `${outcome}: ${detail}`),
      ['void: lo has no IPv4 address', 'void: lo has no IPv4 address'],
    );
  });

  test('runs commands at once, and tells each result when it is there', async () => {
    const told: ProbeResult[] = [];
    const hang = command('sleep', '1000');
    const say = command('sh', '-c', 'echo "$LVSJ_GATEWAY $LVSJ_FAMILY by $LVSJ_LINK" >&2; exit 1');
    const results = await runRound([hang, command('true'), say], target, {
      timeoutMs: 1000,
      signal: never,
      onResult: (result) => told.push(result),
    });
    assert.deepEqual(
      results.map(({ outcome, detail }) => `${outcome}: ${detail}`),
      ['silent: no answer in 1000 ms', 'ok: ', 'wrong: fiber 4 by lo'],
    );
    assert.equal(told.at(-1)?.probe, hang);
  });

  test('ends with its signal and tells no more', async () => {
    const stop = new AbortController();
    const told: ProbeResult[] = [];
    const running = runRound([command('sleep', '1000')], target, {
      timeoutMs: 60_000,
      signal: stop.signal,
      onResult: (result) => told.push(result),
    });
    stop.abort();
    assert.deepEqual(
      (await running).map(({ outcome }) => outcome),
      ['void'],
    );
    assert.deepEqual(told, []);
  });
});
