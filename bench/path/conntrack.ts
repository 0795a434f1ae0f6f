// The machine's conntrack, which all labs share, has room for what is measured, and later what it had.

import { readFileSync, writeFileSync } from 'node:fs';
import { loadConntrack } from '../../src/kernel/ctnetlink.ts';

const files = {
  '/proc/sys/net/netfilter/nf_conntrack_max': 4_194_304,
  // As many buckets as entries of each connection, of all labs together: chains are short for all.
  '/sys/module/nf_conntrack/parameters/hashsize': 4_194_304,
};

const before = new Map<string, string>();

export function enlargeConntrack(): void {
  loadConntrack();
  for (const [file, value] of Object.entries(files)) {
    if (!before.has(file)) before.set(file, readFileSync(file, 'utf8').trim());
    writeFileSync(file, String(value));
  }
}

export function restoreConntrack(): void {
  for (const [file, value] of before) writeFileSync(file, value);
  before.clear();
}
