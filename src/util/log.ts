// The daemon's log lines, in the form that their reader likes: the journal (JSON behind a level that
// it understands), a person at a terminal (one line of text), or a program (JSON).

import { fstatSync } from 'node:fs';
import { isatty } from 'node:tty';
import pino from 'pino';
import { UserError } from './error.ts';

export type Log = pino.Logger;

export type LogForm = 'journal' | 'terminal' | 'json';

export interface LogOptions {
  form: LogForm;
  /** Takes a whole line, newline and all. */
  write: (line: string) => void;
  /** pino's word for the least that is logged. */
  level?: string;
}

const stdout = 1;

/** syslog's numbers for pino's, from the most severe down; whatever is below info is debug. */
const severities = [
  { from: 60, syslog: 2 },
  { from: 50, syslog: 3 },
  { from: 40, syslog: 4 },
  { from: 30, syslog: 6 },
];
const debug = 7;

/** Reader of this descriptor. JOURNAL_STREAM alone proves nothing: children inherit it, whatever their stdout is. */
export function logForm(fd: number, env: NodeJS.ProcessEnv = process.env): LogForm {
  const { dev, ino } = fstatSync(fd, { bigint: true });
  if (env.JOURNAL_STREAM === `${dev}:${ino}`) return 'journal';
  return isatty(fd) ? 'terminal' : 'json';
}

/** sd-daemon(3): systemd takes `<4>` off the line (SyslogLevelPrefix=) and files it as a warning. */
function prefix(level: number): string {
  return `<${severities.find(({ from }) => level >= from)?.syslog ?? debug}>`;
}

/** What came from outside may hold control characters, which a terminal would obey. */
const harmless = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what this is for
  text.replace(/[\x00-\x1f\x7f-\x9f]/g, (char) => JSON.stringify(char).slice(1, -1));

function formatValue(value: unknown): string {
  const plain = typeof value === 'string' && /^[\w.:/%@+-]+$/.test(value);
  return plain ? value : harmless(JSON.stringify(value));
}

/** `03:40:26.123 warn   gateway fiber is down gateway=fiber`; only a bug has more lines: its stack. */
export function formatText(json: string): string {
  const { time, level, msg = '', err, ...rest } = JSON.parse(json);
  const isBug = typeof err === 'object' && err !== null;
  const fields = Object.entries(isBug || err === undefined ? rest : { ...rest, err });
  const words = [
    String(time).slice(11, 23),
    String(level).padEnd(5),
    harmless(String(msg)),
    ...fields.map(([name, value]) => `${name}=${formatValue(value)}`),
  ];
  const stack: string[] = isBug ? String(err.stack).split('\n') : [];
  return `${[words.join(' '), ...stack.map((line) => `  ${harmless(line)}`)].join('\n')}\n`;
}

/** A user's error is its sentence; any other is a bug of ours, with its stack. */
const formatError = (error: Error): unknown =>
  error instanceof UserError ? error.message : pino.stdSerializers.err(error);

export function makeLog({ form, write, level = 'info' }: LogOptions): Log {
  const destination = {
    // Has pino tell the level of each line here, so that nobody need parse it.
    [Symbol.for('pino.metadata')]: true,
    lastLevel: 0,
    write(line: string): void {
      if (form === 'terminal') write(formatText(line));
      else write(form === 'journal' ? `${prefix(this.lastLevel)}${line}` : line);
    },
  };
  return pino(
    {
      level,
      // The journal and whoever starts us know process and host.
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: formatError },
    },
    destination,
  );
}

/** The log on stdout. Synchronous: what was said before a crash is there after it. */
export function openLog(level?: string): Log {
  const destination = pino.destination({ dest: stdout, sync: true });
  return makeLog({ form: logForm(stdout), write: (line) => destination.write(line), level });
}
