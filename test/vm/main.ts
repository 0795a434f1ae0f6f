// node test/vm/main.ts FILE…: runs test files in the virtual machine, one after the other, and says what came of each.

import { globSync } from 'node:fs';
import { UserError } from '../../src/util/error.ts';
import { boot, checkout } from './machine.ts';

/** What Debian loads when a command or a rule asks for it, and what a namespace must not wait for. */
const modules =
  'nf_conntrack nft_ct nft_masq nft_nat nft_chain_nat xt_mark xt_state nft_compat nft_fib_inet veth tun 8021q';
const minutes = 600;

async function main(patterns: string[]): Promise<number> {
  const files = patterns.flatMap((pattern) => globSync(pattern, { cwd: checkout })).toSorted();
  if (files.length === 0) throw new UserError(`no test file matches ${patterns.join(' ')}`);
  const words = files.map((file) => `'${file}'`).join(' ');
  const command = `modprobe -a ${modules}; node --test --test-concurrency=1 ${words}`;
  return boot(command, { counted: true, minutes, output: process.stdout });
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  console.error(error.message);
  process.exitCode = error.status;
}
