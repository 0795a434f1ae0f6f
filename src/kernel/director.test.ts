// What of the director can be told without a kernel.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { markBits } from './director.ts';
import { explainRouteRefusal } from './programs.ts';

describe('the mark mask', () => {
  test('is eight bits in a row, anywhere', () => {
    assert.deepEqual(markBits(0xff000000), { mask: 0xff000000, shift: 24 });
    assert.deepEqual(markBits(0xff), { mask: 0xff, shift: 0 });
    assert.deepEqual(markBits(0x0ff00000), { mask: 0x0ff00000, shift: 20 });
  });

  test('is refused if it is shorter, longer or has a gap', () => {
    for (const mask of [0, 0xf0, 0x1ff00, 0xf0f0, 0xffffffff, 0xff0000ff])
      assert.throws(() => markBits(mask), /eight bits in a row/, `0x${mask.toString(16)}`);
  });
});

describe('a refused route', () => {
  test('says what the kernel lacks', () => {
    const said = '"ip route replace" failed: Error: lwt encapsulation type not supported.';
    assert.match(explainRouteRefusal(said), /built without CONFIG_LWTUNNEL_BPF/);
  });

  test('is passed on if the reason is another', () => {
    const said = '"ip route replace" failed: RTNETLINK answers: File exists';
    assert.equal(explainRouteRefusal(said), said);
  });
});
