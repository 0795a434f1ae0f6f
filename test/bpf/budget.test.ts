// What the programs cost the verifier, against what they cost when budget.json was recorded: a
// change that makes a loop unroll or a path double shows here before an older kernel refuses it.
//
// UPDATE_BUDGET=1 node --test test/bpf/budget.test.ts records anew, where a rise is worth it.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { after, describe, test } from 'node:test';
import { DirectorObject, objectPath } from '../../src/kernel/object.ts';
import { tryRun } from '../../src/util/run.ts';
import { deepestStacks, stackLimit } from './stack.ts';

interface Budget {
  /** Of `recorded`: other kernels' verifiers walk other ways. */
  kernel: string;
  /** budget: what no kernel may need more than; they give up at 1,000,000. */
  programs: Record<string, { recorded: number; budget: number }>;
}

const file = new URL('./budget.json', import.meta.url);
const source = new URL('../../bpf/director.bpf.c', import.meta.url);
/** Room for other compilers and for small changes. */
const margin = 1.1;

const budget = JSON.parse(readFileSync(file, 'utf8')) as Budget;
const kernel = release().split('.').slice(0, 2).join('.');

const object = new DirectorObject();
after(() => object.close());
const cost = (name: string): number => object.program(name).info.verifiedInstructions;

if (process.env.UPDATE_BUDGET) {
  budget.kernel = kernel;
  for (const [name, entry] of Object.entries(budget.programs)) entry.recorded = cost(name);
  writeFileSync(file, `${JSON.stringify(budget, null, 2)}\n`);
}

describe('the verifier', () => {
  for (const [name, { recorded, budget: most }] of Object.entries(budget.programs)) {
    test(`checks ${name} in at most ${most} instructions`, () => {
      const have = cost(name);
      assert.ok(have > 0 && have <= most, `${have} instructions`);
    });

    const skip = kernel !== budget.kernel && `recorded on ${budget.kernel}, this is ${kernel}`;
    test(`checks ${name} in about ${recorded} instructions, as recorded`, { skip }, () => {
      const have = cost(name);
      assert.ok(have <= recorded * margin, `${have} instructions`);
    });
  }

  for (const name of Object.keys(budget.programs))
    test(`makes plain loops of every bpf_loop in ${name}: see sched.h`, () => {
      const id = String(object.program(name).info.id);
      const { stdout } = tryRun(['bpftool', 'prog', 'dump', 'xlated', 'id', id]);
      assert.ok(stdout.includes(name), 'a dump of the program');
      assert.doesNotMatch(stdout, /call bpf_loop/);
    });

  const stackOf = deepestStacks(objectPath);
  for (const name of Object.keys(budget.programs))
    test(`of Linux 6.1 lets ${name} call as deep as it does`, () => {
      const { bytes, chain } = stackOf(name);
      assert.ok(chain.includes(' > ') && bytes <= stackLimit, `${bytes} bytes: ${chain}`);
    });

  test('has a budget for every program', () => {
    const text = readFileSync(source, 'utf8');
    const names = [...text.matchAll(/^SEC\("\w+"\)\nint (\w+)\(/gm)].map(([, name]) => name);
    assert.deepEqual(names.toSorted(), Object.keys(budget.programs).toSorted());
  });
});
