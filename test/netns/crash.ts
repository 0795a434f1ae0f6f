// lvsj apply that is killed on its way, at a chosen moment.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { inHost } from '../../src/lab/lab.ts';
import type { ConfigLab } from './config-lab.ts';
import { lvsjProgram } from './director-lab.ts';

/**
 * Stands before a program that lvsj starts: at the call whose number it is told, it kills lvsj after a
 * moment, and does its work all the same, as the real one would.
 */
const stand = (name: string): string => `#!/bin/sh
echo >> "$CALLS"
if [ "$(wc -l < "$CALLS")" = "$KILL_AT" ]; then
	{ sleep "$KILL_AFTER"; kill -9 $PPID; } > /dev/null 2>&1 &
fi
exec "$(PATH=\${PATH#*:}:/usr/sbin:/sbin command -v ${name})" "$@"
`;

export function placeStands(lab: ConfigLab): void {
  mkdirSync(`${lab.folder}/bin`);
  for (const name of ['ip', 'nft', 'tc'])
    writeFileSync(`${lab.folder}/bin/${name}`, stand(name), { mode: 0o755 });
}

export interface Death {
  /** Which of the programs that lvsj starts; 0: none. */
  call: number;
  /** So long after it began. */
  seconds: number;
}

/** Applies what is in the file and is killed on the way; how many programs were started till then. */
export async function applyAndDie(
  lab: ConfigLab,
  { call, seconds }: Death,
): Promise<{ calls: number; killed: boolean }> {
  const log = `${lab.folder}/calls`;
  writeFileSync(log, '');
  const env = `PATH=${lab.folder}/bin:$PATH CALLS=${log} KILL_AT=${call} KILL_AFTER=${seconds}`;
  const line = `${env} exec ${lvsjProgram} apply ${lab.file}`;
  const [command, ...args] = inHost(lab.name, 'director', ['sh', '-c', line]);
  const child = spawn(command as string, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const [status, signal] = (await once(child, 'exit')) as [number | null, string | null];
  assert.ok(status === 0 || signal === 'SIGKILL', `${status} ${signal}`);
  return { calls: readFileSync(log, 'utf8').length, killed: signal !== null };
}

/** Whatever was left: once more, and it is what the file says; another time changes nothing. */
export function assertConverges(lab: ConfigLab, config: string): void {
  lab.apply(config);
  assert.deepEqual(lab.plan().changes, []);
  assert.deepEqual(lab.apply(config).changes, []);
}
