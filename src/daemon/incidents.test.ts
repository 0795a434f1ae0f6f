// Which changes of health are one incident.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Incidents } from './incidents.ts';

const numbered = () => {
  let count = 0;
  return new Incidents(() => String(++count));
};

test('an incident lasts from the first suspicion to the recovery', () => {
  const incidents = numbered();
  const follow = (...path: Parameters<Incidents['follow']>[2][]) =>
    path.map((to) => incidents.follow('fiber', 'fiber/4', to));
  assert.deepEqual(follow('suspect', 'down', 'recovering', 'up'), ['1', '1', '1', '1']);
  assert.deepEqual(follow('suspect', 'up'), ['2', '2']);
});

test('both families of a gateway are in the same one, other gateways in others', () => {
  const incidents = numbered();
  assert.equal(incidents.follow('fiber', 'fiber/4', 'down'), '1');
  assert.equal(incidents.follow('fiber', 'fiber/6', 'down'), '1');
  assert.equal(incidents.follow('lte', 'lte/4', 'down'), '2');
  assert.equal(incidents.follow('fiber', 'fiber/4', 'up'), '1');
  assert.equal(incidents.follow('fiber', 'fiber/6', 'up'), '1');
  assert.equal(incidents.follow('fiber', 'fiber/6', 'suspect'), '3');
});

test('one that an earlier daemon began goes on', () => {
  const incidents = numbered();
  incidents.resume('fiber', 'fiber/4', '5d2c8e01');
  incidents.resume('lte', 'lte/4', '');
  assert.equal(incidents.follow('fiber', 'fiber/4', 'recovering'), '5d2c8e01');
  assert.equal(incidents.follow('lte', 'lte/4', 'suspect'), '1');
});
