// Object files of other versions of the director: its source, changed and compiled.

import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../src/util/run.ts';

const root = join(import.meta.dirname, '../..');

export interface Patch {
  /** Below bpf. */
  file: string;
  from: string;
  to: string;
}

/** The file that comes of it; it goes with this process. */
export function compileDirector(...patches: Patch[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'lvsj-object-'));
  process.once('exit', () => rmSync(folder, { recursive: true }));
  cpSync(join(root, 'bpf'), folder, { recursive: true });
  for (const { file, from, to } of patches) {
    const text = readFileSync(join(folder, file), 'utf8');
    assert.ok(text.includes(from), `${file} has "${from}"`);
    writeFileSync(join(folder, file), text.replaceAll(from, to));
  }
  const flags = run(['make', '-s', '-C', root, '--eval=flags: ; @echo $(BPF_FLAGS)', 'flags']);
  const path = join(folder, 'director.o');
  const source = join(folder, 'director.bpf.c');
  run(['clang', ...flags.trim().split(' '), '-c', source, '-o', path]);
  return path;
}
