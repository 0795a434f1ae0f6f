// The source address of a gateway's connections in words.

import type { Snat } from './config.ts';

/** `masquerade`, `192.0.2.2`, `none`, `npt 2001:db8::/64`. */
export function formatSnat(snat: Snat): string {
  if (snat.kind === 'address') return snat.address;
  return snat.kind === 'npt' ? `npt ${snat.prefix}` : snat.kind;
}
