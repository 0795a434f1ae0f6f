// Adds what the first argument says (ConfigObjects as JSON) to the objects of the running director, as a
// configuration would: run in its namespace.

import { writeApplied } from '../../src/kernel/applied.ts';
import { Director } from '../../src/kernel/director.ts';
import { withLock } from '../../src/kernel/lock.ts';
import { writeTable } from '../../src/kernel/write-table.ts';
import type { Applied } from '../../src/model/applied.ts';
import type { ConfigObjects } from '../../src/model/objects.ts';

const objects = JSON.parse(process.argv[2] ?? '') as ConfigObjects;
const director = Director.find();
if (!director) throw new Error('no director runs here');
withLock(() => {
  writeTable(director, (table) => table, { config: objects });
  // So that lvsj ipvsadm keeps them; it asks for nothing else that is applied.
  writeApplied(director, { objects } as Applied);
});
