// Empties the connection table of the running director, as if it had been lost: run in its namespace.

import { Director } from '../../src/kernel/director.ts';
import { BpfMap } from '../../src/kernel/map.ts';

const director = Director.find();
if (!director) throw new Error('no director runs here');
const shards = director.maps.map('connections');
for (const key of [...shards.keys()]) {
  const id = shards.get(key)?.readUInt32LE();
  if (id === undefined) continue;
  const shard = BpfMap.byId(id);
  for (const [entry] of [...shard.entries()]) shard.delete(entry);
}
