// Takes bits out of the marks that conntrack keeps.

import {
  answerDump,
  cta,
  ctMessage,
  entries,
  formatMessage,
  formatNumber,
  numberOf,
} from './ctnetlink.ts';

/** Clears these bits in the marks of all entries of this network namespace, of both families. */
export function clearMarks(mask: number): void {
  answerDump((part) => planUpdates(part, mask));
}

/** One update for each entry of a dump whose mark has any of these bits; other bits stay. */
export function planUpdates(part: Buffer, mask: number): Buffer {
  const updates = [...entries(part)].flatMap(({ family, attributes }) => {
    const tuple = attributes.get(cta.tupleOrig);
    if (!tuple || (numberOf(attributes.get(cta.mark)) & mask) === 0) return [];
    const changes = [formatNumber(cta.mark, 0), formatNumber(cta.markMask, mask)];
    return [formatMessage(ctMessage.update, family, [tuple, attributes.get(cta.zone), ...changes])];
  });
  return Buffer.concat(updates);
}
