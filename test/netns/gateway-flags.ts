// Run in a director's namespace: what a daemon would write of gateways and slots.
//   node gateway-flags.ts down|up ID…      node gateway-flags.ts on-down keep|reset|reschedule

import { Director } from '../../src/kernel/director.ts';
import { setDown } from '../../src/kernel/gateway-down.ts';

const actions = ['keep', 'reset', 'reschedule'];

function setOnDown({ maps, settings }: Director, action: string): void {
  for (const [number, slot] of maps.slots.all(settings.slotsUsed))
    if (slot.configured) maps.slots.set(number, { ...slot, onDown: actions.indexOf(action) });
}

const [what = '', ...words] = process.argv.slice(2);
using director = Director.find();
if (!director) throw new Error('no director runs here');
if (what === 'on-down') setOnDown(director, words[0] ?? '');
else setDown(director, words.map(Number), what === 'down');
