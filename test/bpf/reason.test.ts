// What an entry tells of its connection's gateway: how it was chosen, and under which configuration.

import assert from 'node:assert/strict';
import { after, afterEach, describe, test } from 'node:test';
import { readConnections } from '../../src/kernel/read-connections.ts';
import type { Connection } from '../../src/model/table.ts';
import { openBed } from './bed.ts';
import { assertExact } from './exact.ts';
import { Flow } from './flow.ts';
import type { ServiceOptions } from './service.ts';

const bed = openBed();
after(() => bed.close());
afterEach(() => {
  try {
    assertExact(bed);
  } finally {
    bed.forget();
  }
});

const serve = (options: ServiceOptions = {}): void =>
  bed.setService({ gateways: [[1], [2]], ...options });

const entryOf = ({ port }: Flow): Connection => {
  const found = [...readConnections(bed.director)].find((one) => one.clientPort === port);
  assert.ok(found, `a connection from port ${port}`);
  return found;
};

/** A packet of this flow, and what its entry then tells. */
function reasonOf(flow: Flow, flags?: string): string {
  bed.run('director', flow.up(flags), 1);
  return entryOf(flow).reason;
}

describe('the reason of a connection', () => {
  test("is the scheduler, or its client's template", () => {
    serve({ persistence: 60 });
    assert.equal(reasonOf(new Flow({ port: 1 })), 'scheduler');
    assert.equal(reasonOf(new Flow({ port: 2 })), 'template');
    assert.equal(reasonOf(new Flow({ port: 3, client: '10.0.0.3' })), 'scheduler');
  });

  test('is the scheduler where the template leads to a drained gateway', () => {
    serve({ persistence: 60, gateways: [[1]] });
    reasonOf(new Flow({ port: 1 }));
    serve({ persistence: 60, gateways: [[1, 0], [2]] });
    assert.equal(reasonOf(new Flow({ port: 2 })), 'scheduler');
    assert.equal(reasonOf(new Flow({ port: 3 })), 'template');
  });

  test('is that it began elsewhere, unless its client had a template', () => {
    serve({ persistence: 60 });
    bed.setSettings({ sloppyTcp: 1 });
    assert.equal(reasonOf(new Flow({ port: 1 }), 'A'), 'midstream');
    assert.equal(reasonOf(new Flow({ port: 2 }), 'A'), 'template');
  });

  test('stays through all states', () => {
    serve({ persistence: 60 });
    const flow = new Flow({ port: 2 });
    reasonOf(new Flow({ port: 1 }));
    assert.equal(reasonOf(flow), 'template');
    for (const down of ['SA', 'A', 'FA', 'RA']) {
      bed.run('egress', flow.down(down));
      bed.run('ingress', flow.up('A'));
      assert.equal(entryOf(flow).reason, 'template', down);
    }
  });
});

test('the age of a connection counts from its first packet', () => {
  serve({ persistence: 60 });
  const flow = new Flow();
  reasonOf(flow);
  assert.ok(entryOf(flow).age <= 1);
  bed.changeConnections((key, conn) =>
    key.protocol === 0
      ? conn
      : { ...conn, beganS: conn.beganS - 100, children: conn.children - 100 },
  );
  bed.run('egress', flow.down('SA'));
  bed.run('ingress', flow.up('A'));
  const { age } = entryOf(flow);
  assert.ok(age === 100 || age === 101, `${age}`);
});

describe('the generation of a connection', () => {
  test('is that of the configuration under which it began', () => {
    serve({ persistence: 60 });
    bed.setSettings({ generation: 7 });
    const [old, young] = [new Flow({ port: 1 }), new Flow({ port: 2, protocol: 'udp' })];
    reasonOf(old);
    bed.setSettings({ generation: 8 });
    reasonOf(young);
    bed.run('egress', old.down('SA'));
    bed.run('director', old.up('A'), 1);
    assert.deepEqual([entryOf(old).generation, entryOf(young).generation], [7, 8]);
  });

  test('is not mixed up with the timeout of a template', () => {
    serve({ persistence: 60 });
    bed.setSettings({ generation: 9 });
    reasonOf(new Flow());
    const template = entryOf(new Flow({ port: 0 }));
    assert.deepEqual(
      [template.protocol, template.generation, Math.ceil(template.expires / 60)],
      [0, 0, 1],
    );
  });
});
