// The first lvsj apply, which also starts the director, is killed (-9) at random moments. Needs root.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { diffNamespaceStates, namespaceState } from '../../src/lab/namespace-state.ts';
import { ConfigLab, everything, gateways } from './config-lab.ts';
import { applyAndDie, assertConverges, placeStands } from './crash.ts';

const lab = new ConfigLab('crash-start');
const config = gateways + everything;
const tries = 6;

/** Whatever runs, whole or half started. */
function stop(): void {
  const { status, stderr } = lab.tryLvsj('stop');
  assert.ok(status === 0 || stderr.includes('not running'), stderr);
}

describe('a first lvsj apply that is killed', { timeout: 120_000 }, () => {
  before(async () => {
    await lab.up();
    placeStands(lab);
  });
  after(() => lab.down());

  test('the next one starts it, and stop leaves nothing', async () => {
    lab.write(config);
    const { calls } = await applyAndDie(lab, { call: 0, seconds: 0 });
    stop();
    const clean = namespaceState(lab.name, 'director');
    for (let k = 0; k < tries; k++) {
      const death = {
        call: 1 + Math.floor(((k + Math.random()) * calls) / tries),
        seconds: Math.random() / 50,
      };
      await applyAndDie(lab, death);
      if (k % 2 === 0) assertConverges(lab, config);
      stop();
      assert.deepEqual(
        diffNamespaceStates(clean, namespaceState(lab.name, 'director')),
        [],
        JSON.stringify(death),
      );
    }
  });
});
