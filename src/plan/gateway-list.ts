// What became of a service's list of gateways: which of them stayed in it, and which came.

import type { ServiceGateway } from '../model/table.ts';

type Entry = Pick<ServiceGateway, 'address' | 'port'>;

export const sameGateway = (a: Entry, b: Entry): boolean =>
  a.address === b.address && a.port === b.port;

/**
 * How many at the end of the wanted list never left it. Those before them were added, also where
 * they were deleted first: the newest is the head, as if each command had been written alone.
 */
export function countKept(have: Entry[], want: Entry[]): number {
  let kept = 0;
  for (const known of have.toReversed()) {
    const wanted = want.at(-1 - kept);
    if (wanted && sameGateway(known, wanted)) kept++;
  }
  return kept;
}
