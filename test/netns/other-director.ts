// Makes the director that runs here one of another version: run in its namespace, as
//   program OBJECT   the programs of that object file; a director is started if none runs
//   abi NUMBER       it says that it speaks that ABI, if one runs

import { Director, defaults } from '../../src/kernel/director.ts';
import { withLock } from '../../src/kernel/lock.ts';
import { upgradeIfNeeded } from '../../src/kernel/upgrade.ts';

const [what, value = ''] = process.argv.slice(2);

function useProgram(): void {
  using director = Director.find() ?? Director.start(defaults, value);
  upgradeIfNeeded(director, value);
}

function sayAbi(): void {
  using director = Director.findAny();
  director?.maps.settings.set(0, { ...director.settings, abi: Number(value) });
}

withLock(what === 'program' ? useProgram : sayAbi);
