// run and tryRun on small real programs.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { UserError } from './error.ts';
import { run, tryRun } from './run.ts';

const sh = (script: string): string[] => ['sh', '-c', script];

describe('run', () => {
  test('returns what the program writes', () => {
    assert.equal(run(['echo', 'a  b', '$HOME']), 'a  b $HOME\n');
  });

  test('gives the input to the program, and an empty one if there is none', () => {
    assert.equal(run(['cat'], { input: 'rule add\n' }), 'rule add\n');
    assert.equal(run(['cat']), '');
  });

  test('puts the command and what it said in the error', () => {
    assert.throws(
      () => run(sh('echo "RTNETLINK answers: File exists" >&2; exit 2')),
      new UserError(
        '"sh -c echo "RTNETLINK answers: File exists" >&2; exit 2" failed: RTNETLINK answers: File exists',
      ),
    );
  });

  test('names the exit status of a program that says nothing', () => {
    assert.throws(() => run(['false']), { message: '"false" failed: exit status 1' });
  });

  test('names the signal of a program that was killed', () => {
    assert.throws(() => run(sh('kill -9 $$')), { message: /failed: killed by signal 9$/ });
  });

  test('takes the statuses that the caller expects', () => {
    assert.equal(run(sh('echo found; exit 1'), { okStatuses: [0, 1] }), 'found\n');
    assert.throws(() => run(['true'], { okStatuses: [1] }), UserError);
  });

  test('keeps an output far above the default limit of 1 MiB', () => {
    assert.equal(run(sh('head -c 3000000 /dev/zero')).length, 3_000_000);
  });
});

describe('tryRun', () => {
  test('returns status, stdout and stderr of a failure', () => {
    assert.deepEqual(tryRun(sh('echo out; echo err >&2; exit 7')), {
      status: 7,
      stdout: 'out\n',
      stderr: 'err\n',
    });
  });

  test('reports a program that ends before it reads all of its input', () => {
    const input = 'x'.repeat(1_000_000);
    assert.equal(tryRun(sh('exit 3'), { input }).status, 3);
  });

  test('finds programs of /usr/sbin under a PATH without it', () => {
    const { PATH } = process.env;
    process.env.PATH = '/nowhere';
    try {
      assert.equal(tryRun(['sysctl', '-n', 'kernel.ostype']).stdout, 'Linux\n');
    } finally {
      process.env.PATH = PATH;
    }
  });

  test('names the Debian package of a missing program', () => {
    assert.throws(() => tryRun(['/nowhere/nft', '-j', 'list', 'ruleset']), {
      name: 'UserError',
      message: '/nowhere/nft is not installed; install the Debian package nftables',
    });
  });

  test('says only that an unknown program is missing', () => {
    assert.throws(() => tryRun(['no-such-program']), {
      message: 'no-such-program is not installed',
    });
  });

  test('says why a program cannot be started', () => {
    assert.throws(() => tryRun(['/etc']), { message: /^cannot run \/etc: .*EACCES/ });
  });
});
