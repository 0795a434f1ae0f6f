// Changes entries that conntrack keeps: takes bits out of their marks, and has it be liberal with some.

import {
  answerDump,
  cta,
  ctMessage,
  entries,
  formatBytes,
  formatMessage,
  formatNested,
  formatNumber,
  numberOf,
} from './ctnetlink.ts';

/** Clears these bits in the marks of all entries of this network namespace, of both families. */
export function clearMarks(mask: number): void {
  answerDump((part) => planUpdates(part, mask));
}

/** One update for each entry of a dump whose mark has any of these bits; other bits stay. */
export const planUpdates = (part: Buffer, mask: number): Buffer =>
  updateMarked(part, mask, [formatNumber(cta.mark, 0), formatNumber(cta.markMask, mask)]);

/** The same changes to each entry of a dump whose mark has any of these bits, and that has this attribute. */
function updateMarked(part: Buffer, mask: number, changes: Buffer[], having?: number): Buffer {
  const updates = [...entries(part)].flatMap(({ family, attributes }) => {
    const tuple = attributes.get(cta.tupleOrig);
    const suits = having === undefined || attributes.has(having);
    if (!tuple || !suits || (numberOf(attributes.get(cta.mark)) & mask) === 0) return [];
    return [formatMessage(ctMessage.update, family, [tuple, attributes.get(cta.zone), ...changes])];
  });
  return Buffer.concat(updates);
}

/** IP_CT_TCP_FLAG_BE_LIBERAL: flags and mask. */
const liberal = Buffer.from([0x08, 0x08]);

/**
 * Has conntrack take TCP's packets of these connections whatever their sequence numbers: of those whose mark has
 * any of these bits. It did not see all that went by the fast path.
 */
export function makeLiberal(mask: number): void {
  answerDump((part) => planLiberal(part, mask));
}

/** Of TCP alone: no other protocol has information of its own there. */
export function planLiberal(part: Buffer, mask: number): Buffer {
  const { flagsOriginal, flagsReply, own } = cta.tcp;
  const flags = [formatBytes(flagsOriginal, liberal), formatBytes(flagsReply, liberal)];
  const info = formatNested(cta.protocolInfo, [formatNested(own, flags)]);
  return updateMarked(part, mask, [info], cta.protocolInfo);
}
