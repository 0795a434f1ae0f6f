// Tab in bash, as bash-completion drives it. Help comes from the real lvsj; names from a stand-in that
// prints what a running director would, for this test has no root.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';

const root = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'lvsj-completion-'));
after(() => rmSync(folder, { recursive: true }));

/** What readers print with --json; others' commands are the real ones. */
const readers = {
  gateway: [
    { id: 1, name: 'fiber', address: '192.0.2.1' },
    { id: 2, name: '', address: 'fe80::1%eth1' },
  ],
  service: [{ name: 'web', gateways: [{ gateway: 'fiber' }] }],
};

/** A folder with an `lvsj` in it that has these readers, or none: no director runs. */
function program(name: string, json: Record<string, unknown>): string {
  const cases = Object.entries(json).map(
    ([command, value]) =>
      `"${command} --json") cat <<'END'\n${JSON.stringify(value, null, 2)}\nEND\n;;\n`,
  );
  const script = `#!/bin/sh\ncase "$*" in\n${cases.join('')}*) exec ${root}/lvsj "$@" ;;\nesac\n`;
  const path = join(folder, name);
  writeFileSync(path, script);
  chmodSync(path, 0o755);
  return path;
}

const running = program('running', readers);
const stopped = program('stopped', {});

/** Prints what completion offers for a line, given too as the words that readline makes of it. */
const driver = `
. /usr/share/bash-completion/bash_completion
. ${root}/packaging/completion/lvsj.bash
COMP_LINE=$1; COMP_POINT=\${#1}; COMP_TYPE=9
shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_lvsj lvsj "" ""
printf '%s\\n' "\${COMPREPLY[@]}"
`;

/** Colons stand for themselves, as many as there are in a row. */
const wordsOf = (line: string): string[] =>
  line.split(' ').flatMap((word) => (word.includes(':') ? word.match(/:+|[^:]+/g)! : [word]));

function offered(line: string, lvsj = running): string[] {
  const typed = line.replace(/^lvsj/, lvsj);
  const child = spawnSync('bash', ['-c', driver, 'bash', typed, ...wordsOf(typed)], {
    encoding: 'utf8',
    cwd: folder,
  });
  assert.equal(child.stderr, '', `completion of "${line}" is silent`);
  return child.stdout.split('\n').filter((word) => word !== '');
}

function help(...args: string[]): string {
  return spawnSync(join(root, 'lvsj'), args, { encoding: 'utf8' }).stdout;
}

describe('completion in bash', () => {
  test('offers every command that the help lists', () => {
    const commands = [...help('--help').matchAll(/^ {2}([a-z]+) /gm)].map(([, name]) => name);
    assert.ok(commands.includes('ipvsadm') && commands.includes('stop'));
    assert.deepEqual(offered('lvsj '), [...commands, '--help']);
    assert.deepEqual(offered('lvsj ipv'), ['ipvsadm']);
  });

  test('offers the options of a command', () => {
    assert.deepEqual(offered('lvsj start --m'), ['--mark-mask']);
    assert.ok(offered('lvsj ipvsadm --add-').includes('--add-server'));
    assert.ok(offered('lvsj ipvsadm -').includes('-A'));
  });

  test('offers the commands of a command', () => {
    assert.deepEqual(offered('lvsj lab d'), ['down', 'demo']);
  });

  test('offers names of gateways and services, and what can be done with them', () => {
    assert.deepEqual(offered('lvsj gateway '), ['fiber', '192.0.2.1', 'fe80::1%eth1']);
    assert.deepEqual(offered('lvsj gateway fiber d'), ['drain', 'disable']);
    assert.deepEqual(offered('lvsj service '), ['web']);
    assert.deepEqual(offered('lvsj ipvsadm -a -f 1 -r 192'), ['192.0.2.1']);
    assert.deepEqual(offered('lvsj ipvsadm -A -f 1 -s wl'), ['wlc']);
  });

  test('takes an IPv6 address for one word, of which bash replaces what is behind the last colon', () => {
    assert.deepEqual(offered('lvsj gateway fe80::'), ['1%eth1']);
  });

  test('is silent and empty where no director runs', () => {
    assert.deepEqual(offered('lvsj gateway ', stopped), []);
    assert.deepEqual(offered('lvsj service ', stopped), []);
  });

  test('offers files where a configuration is asked for', () => {
    writeFileSync(join(folder, 'lvsj.yaml'), '');
    assert.deepEqual(offered('lvsj check lv'), ['lvsj.yaml']);
  });
});
