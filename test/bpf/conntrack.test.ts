// bpf/conntrack.h where the kernel has no such functions for programs.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { DirectorObject } from '../../src/kernel/object.ts';
import { run } from '../../src/util/run.ts';
import { compileDirector } from './other-object.ts';

const names = ['bpf_skb_ct_lookup', 'bpf_ct_change_timeout', 'bpf_ct_release'];

/** How many of the kernel's functions its program for the LAN calls. */
function callsOf(object: DirectorObject): number {
  const id = String(object.program('lvsj_ingress').info.id);
  const code = run(['bpftool', 'prog', 'dump', 'xlated', 'id', id]);
  assert.match(code, /conntrack_forget/);
  return names.filter((name) => new RegExp(`call ${name}\\b`).test(code)).length;
}

test('the programs load where conntrack has functions for them, and where it has none', () => {
  const here = new DirectorObject();
  after(() => here.close());
  assert.equal(callsOf(here), names.length);
  const patches = ['bpf_ct_opts', ...names].map((name) => ({
    file: 'conntrack.h',
    from: name,
    to: `${name}_of_nobody`,
  }));
  const elsewhere = new DirectorObject(compileDirector(...patches));
  after(() => elsewhere.close());
  assert.equal(callsOf(elsewhere), 0);
});
