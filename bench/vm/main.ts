// node bench/vm/main.ts [CASES]: what a packet costs in instructions, on Debian's own kernel in a virtual machine; prints a
// table in Markdown and writes build/bench-vm.json. What each row is: docs/bench-vm.md.

import { writeFileSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { UserError } from '../../src/util/error.ts';
import { boot } from '../../test/vm/machine.ts';
import { formatAims, formatCosts, judge, readCases } from './table.ts';

const json = fileURLToPath(new URL('../../build/bench-vm.json', import.meta.url));
const minutes = 60;

async function main(): Promise<number> {
  const output = new PassThrough();
  const said = text(output);
  // A regular expression of the names; all, without one.
  const wanted = (process.argv[2] ?? '').replaceAll("'", '');
  const command = `CASES='${wanted}' bash bench/vm/guest.sh`;
  const status = await boot(command, { counted: true, minutes, output });
  output.end();
  const lines = await said;
  if (status !== 0) throw new UserError(`the guest gave up with status ${status}:\n${lines}`);
  const { cases, refused } = readCases(lines);
  const aims = judge(cases);
  console.log(`${formatCosts(cases)}\n\n${formatAims(aims)}`);
  for (const reason of refused) console.log(reason);
  writeFileSync(json, `${JSON.stringify({ cases, aims, refused }, null, 2)}\n`);
  return refused.length > 0 ? 1 : 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  console.error(error.message);
  process.exitCode = error.status;
}
