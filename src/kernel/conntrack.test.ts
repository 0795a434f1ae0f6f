// The netlink messages that clear conntrack's marks.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planLiberal, planUpdates } from './conntrack.ts';

const mask = 0xff000000;
const tuple = '0c000180aabbccdd11223344';

/** An entry as the kernel dumps it: its tuple (of no meaning here), and its mark. */
function entry(family: string, mark: string): string {
  const attributes = [tuple, '080003000000018e', '08000800', mark].join('');
  const length = (16 + 4 + attributes.length / 2).toString(16);
  const header = [length, '000000', '0001', '0200', '00'.repeat(8), family, '000000'];
  return header.join('') + attributes;
}

test('an entry with our bits is updated by its tuple, with their mask, in its family', () => {
  const part = Buffer.from(entry('02', '02000007') + entry('0a', '00000007'), 'hex');
  assert.equal(
    planUpdates(part, mask).toString('hex'),
    [
      '30000000', // length
      '0001', // IPCTNL_MSG_CT_NEW
      '0100', // NLM_F_REQUEST, and no NLM_F_CREATE: an entry that is gone stays gone
      '00'.repeat(8),
      '02000000', // AF_INET
      tuple,
      '0800080000000000', // CTA_MARK 0
      '08001500ff000000', // CTA_MARK_MASK
    ].join(''),
  );
});

test('nothing is sent for entries without our bits, nor for the end of the dump', () => {
  const done = ['14000000', '0300', '0200', '00'.repeat(12)].join('');
  const part = Buffer.from(entry('0a', '00ffffff') + done, 'hex');
  assert.equal(planUpdates(part, mask).length, 0);
});

test('TCP alone is told to be liberal, in both directions', () => {
  // CTA_PROTOINFO with CTA_PROTOINFO_TCP, whose state is ESTABLISHED.
  const tcp = ['14000480', '10000180', '0500010003000000', '00000000'].join('');
  const withInfo = (mark: string): string => {
    const attributes = [tuple, tcp, '08000800', mark].join('');
    const length = (16 + 4 + attributes.length / 2).toString(16);
    return [length, '000000', '0001', '0200', '00'.repeat(8), '02', '000000', attributes].join('');
  };
  const part = Buffer.from(withInfo('02000007') + entry('02', '02000007'), 'hex');
  assert.equal(
    planLiberal(part, mask).toString('hex'),
    [
      '38000000',
      '0001',
      '0100',
      '00'.repeat(8),
      '02000000',
      tuple,
      '18000480', // CTA_PROTOINFO
      '14000180', // CTA_PROTOINFO_TCP
      '0600040008080000', // CTA_PROTOINFO_TCP_FLAGS_ORIGINAL: flag and mask
      '0600050008080000', // CTA_PROTOINFO_TCP_FLAGS_REPLY
    ].join(''),
  );
});
