// Run in a director's namespace: does what a daemon would do of gateways that are down, as lines on stdin say.
// Answers each with its moment, by clockMs().
//   down|up|poke|forget ID…      on-down keep|reset|reschedule

import { createInterface } from 'node:readline';
import { forgetGateway } from '../../src/kernel/conntrack-dead.ts';
import { Director } from '../../src/kernel/director.ts';
import { setDown } from '../../src/kernel/gateway-down.ts';
import { pokeClients } from '../../src/kernel/poke.ts';
import { clockMs } from '../../src/lab/clock.ts';

const actions = ['keep', 'reset', 'reschedule'];

function setOnDown({ maps, settings }: Director, action: string): void {
  for (const [number, slot] of maps.slots.all(settings.slotsUsed))
    if (slot.configured) maps.slots.set(number, { ...slot, onDown: actions.indexOf(action) });
}

const fwmarksOf = ({ maps }: Director): number[] =>
  [...maps.services()].map(([{ fwmark }]) => fwmark);

async function obey(director: Director, line: string): Promise<void> {
  const [what = '', ...words] = line.split(' ');
  const ids = words.map(Number);
  if (what === 'on-down') setOnDown(director, words[0] ?? '');
  else if (what === 'poke') await pokeClients(director, ids, fwmarksOf(director));
  else if (what === 'forget') for (const id of ids) forgetGateway(director, id);
  else setDown(director, ids, what === 'down');
}

for await (const line of createInterface({ input: process.stdin })) {
  using director = Director.find();
  if (!director) throw new Error('no director runs here');
  const at = clockMs();
  await obey(director, line);
  process.stdout.write(`${at}\n`);
}
