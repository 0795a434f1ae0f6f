// Lines of each form, and which form a descriptor gets.

import assert from 'node:assert/strict';
import { closeSync, fstatSync, openSync } from 'node:fs';
import { describe, test } from 'node:test';
import { UserError } from './error.ts';
import { type Log, type LogForm, logForm, makeLog } from './log.ts';

/** What `use` logs, in this form. */
function logged(form: LogForm, use: (log: Log) => void): string {
  let text = '';
  const write = (line: string): void => {
    text += line;
  };
  use(makeLog({ form, write, level: 'trace' }));
  return text;
}

describe('a log line for the journal', () => {
  test('begins with the syslog level of each of pino', () => {
    const text = logged('journal', (log) => {
      for (const level of ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const)
        log[level](level);
    });
    const lines = text.trimEnd().split('\n');
    const found = lines.map((line) => [line.slice(0, 3), JSON.parse(line.slice(3)).level]);
    assert.deepEqual(found, [
      ['<7>', 'trace'],
      ['<7>', 'debug'],
      ['<6>', 'info'],
      ['<4>', 'warn'],
      ['<3>', 'error'],
      ['<2>', 'fatal'],
    ]);
  });

  test('of a child logger has its level and its fields', () => {
    const text = logged('journal', (log) => log.child({ gateway: 'fiber' }).error('down'));
    assert.match(text, /^<3>\{.*"gateway":"fiber".*\}\n$/);
  });

  test('stays one line whatever the message holds', () => {
    assert.equal(logged('journal', (log) => log.info('a\nb')).match(/\n/g)?.length, 1);
  });
});

describe('a log line for programs', () => {
  test('is JSON with a time and the name of the level, and without process and host', () => {
    const { time, ...rest } = JSON.parse(logged('json', (log) => log.info({ id: 1 }, 'hello')));
    assert.match(time, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    assert.deepEqual(rest, { level: 'info', id: 1, msg: 'hello' });
  });

  test("has a user's error as its sentence, and a bug with its stack", () => {
    const user = JSON.parse(logged('json', (log) => log.error({ err: new UserError('no link') })));
    assert.equal(user.err, 'no link');
    const bug = JSON.parse(logged('json', (log) => log.error({ err: new TypeError('oh') })));
    assert.match(bug.err.stack, /TypeError: oh\n/);
  });
});

describe('a log line for a terminal', () => {
  const text = (use: (log: Log) => void): string =>
    logged('terminal', use).replace(/^[\d:.]{12} /, 'TIME ');

  test('is text: time, level, message, fields', () => {
    assert.equal(
      text((log) => log.warn({ gateway: 'fiber', why: 'no answer', tries: 3 }, 'down')),
      'TIME warn  down gateway=fiber why="no answer" tries=3\n',
    );
  });

  test('obeys no control characters that came from outside', () => {
    assert.equal(
      text((log) => log.info({ name: '\x1b[2Jx' }, 'a\nb\x1b[31m')),
      'TIME info  a\\nb\\u001b[31m name="\\u001b[2Jx"\n',
    );
  });

  test("has a bug's stack below it, and of a user's error the sentence", () => {
    assert.match(
      text((log) => log.error(new TypeError('oh'))),
      /^TIME error oh\n {2}TypeError: oh\n {6}at /,
    );
    assert.equal(
      text((log) => log.error({ err: new UserError('no link') }, 'reload')),
      'TIME error reload err="no link"\n',
    );
  });
});

describe('the form of a log', () => {
  const formOf = (path: string, env: (stream: string) => NodeJS.ProcessEnv): LogForm => {
    const fd = openSync(path, 'r+');
    const { dev, ino } = fstatSync(fd);
    try {
      return logForm(fd, env(`${dev}:${ino}`));
    } finally {
      closeSync(fd);
    }
  };

  test('is for the journal where the descriptor is the one that systemd named', () => {
    assert.equal(
      formOf('/dev/null', (stream) => ({ JOURNAL_STREAM: stream })),
      'journal',
    );
  });

  test('is JSON where JOURNAL_STREAM was only inherited', () => {
    assert.equal(
      formOf('/dev/null', () => ({ JOURNAL_STREAM: '9:12345' })),
      'json',
    );
  });

  test('is text on a terminal', () => {
    assert.equal(
      formOf('/dev/ptmx', () => ({})),
      'terminal',
    );
  });
});
