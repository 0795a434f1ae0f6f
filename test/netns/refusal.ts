// Runs lvsj where one of the programs that it starts refuses what has certain words among its
// arguments, so that the command fails half-way.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunResult, run } from '../../src/util/run.ts';
import { type DirectorLab, lvsjProgram } from './director-lab.ts';

export interface Refusal {
  program: string;
  words: string;
  /** What it says then. */
  message?: string;
}

/** The command's outcome; the real program does everything else. */
export function lvsjRefused(lab: DirectorLab, refusal: Refusal, command: string): RunResult {
  const { program, words, message = 'refused by the test' } = refusal;
  const folder = mkdtempSync(join(tmpdir(), 'lvsj-test-'));
  try {
    const real = run(['sh', '-c', `PATH=$PATH:/usr/sbin:/sbin command -v ${program}`]).trim();
    const script = `#!/bin/sh
      case "$*" in *'${words}'*) echo '${message}' >&2; exit 2 ;; esac
      exec ${real} "$@"\n`;
    writeFileSync(join(folder, program), script, { mode: 0o755 });
    const path = `PATH=${folder}:${process.env.PATH}`;
    return lab.tryRun('director', ['env', path, lvsjProgram, ...command.split(' ')]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
