// The lab's LAN clients: connections, downloads and datagrams from chosen addresses, counted by the
// address that the server saw. A program of its own (`node src/lab/client.ts COMMAND`), prints JSON.
// What failed is part of the result and not an exit status: a test wants the figures either way.

import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { UserError } from '../util/error.ts';
import { type Counts, connect } from './client-connect.ts';
import { sendDatagrams } from './client-datagrams.ts';
import { download } from './client-download.ts';
import { Holding } from './client-hold.ts';
import { askDns, askHttp, makeRequests } from './client-requests.ts';
import { endBySignal, keepSteady } from './client-steady.ts';
import { exchangeDatagrams } from './client-udp.ts';

const usage = `usage: client.ts connect --url URL --from ADDRESS... [--count N] [--parallel N] [--by-client]
       client.ts download --url URL --from ADDRESS
       client.ts udp --to ADDRESS --from ADDRESS... [--port N] [--count N] [--sockets N] [--first-port N]
       client.ts steady --to ADDRESS --from ADDRESS... [--count N] [--interval SECONDS] [--udp]
                 until SIGTERM or SIGINT
       client.ts requests (--url URL | --dns ADDRESS) --from ADDRESS... [--rate PER-SECOND]
       client.ts datagrams --to ADDRESS --from ADDRESS [--port N] [--rate PER-SECOND]
                 until SIGTERM or SIGINT; each answer is a line
       client.ts hold --to ADDRESS --from ADDRESS... [--count N] [--interval SECONDS | --idle]
                 obeys the lines make, ask, report until stdin ends; make and report answer with a line
every command takes --timeout SECONDS (of one connection, silence or reply; default 5)`;

const options = {
  url: { type: 'string' },
  dns: { type: 'string' },
  to: { type: 'string' },
  from: { type: 'string', multiple: true },
  count: { type: 'string', default: '1' },
  parallel: { type: 'string', default: '10' },
  sockets: { type: 'string', default: '1' },
  'first-port': { type: 'string', default: '0' },
  port: { type: 'string', default: '7' },
  interval: { type: 'string', default: '1' },
  rate: { type: 'string', default: '10' },
  udp: { type: 'boolean', default: false },
  idle: { type: 'boolean', default: false },
  timeout: { type: 'string', default: '5' },
  'by-client': { type: 'boolean', default: false },
} as const;

type Values = ReturnType<typeof readArguments>['values'] & { from: string[]; timeoutMs: number };

/** What a command comes back with is its last line. */
const commands: Record<string, (values: Values) => Promise<unknown>> = {
  connect: async ({ from, timeoutMs, ...values }) => {
    const [count, parallel] = [whole('count', values.count), whole('parallel', values.parallel)];
    const url = required('url', values.url);
    const seen = await connect({ url, from, count, parallel, timeoutMs });
    return values['by-client'] ? seen : total(Object.values(seen));
  },
  download: ({ url, from, timeoutMs }) =>
    download({ url: required('url', url), from: from[0]!, timeoutMs }),
  udp: ({ from, timeoutMs, ...values }) =>
    exchangeDatagrams({
      to: required('to', values.to),
      port: whole('port', values.port),
      from,
      count: whole('count', values.count),
      sockets: whole('sockets', values.sockets),
      firstPort: Number(values['first-port']),
      timeoutMs,
    }),
  steady: ({ from, udp, timeoutMs, ...values }) => {
    const [to, count] = [required('to', values.to), whole('count', values.count)];
    const intervalMs = positive('interval', values.interval) * 1000;
    return keepSteady({ to, from, count, udp, intervalMs, timeoutMs }, endBySignal());
  },
  requests: ({ from, dns, url, rate, timeoutMs }) => {
    const ask = dns ? askDns(dns, timeoutMs) : askHttp(required('url', url), timeoutMs);
    return makeRequests({ ask, from, perSecond: positive('rate', rate) }, print, endBySignal());
  },
  datagrams: ({ from: [from], ...values }) => {
    const [to, port] = [required('to', values.to), whole('port', values.port)];
    const perSecond = positive('rate', values.rate);
    return sendDatagrams({ to, port, from: from!, perSecond }, print, endBySignal());
  },
  hold: async ({ from, idle, ...values }) => {
    const [to, count] = [required('to', values.to), whole('count', values.count)];
    const intervalMs = idle ? 0 : positive('interval', values.interval) * 1000;
    const holding = new Holding({ to, from, count, intervalMs });
    for await (const line of createInterface({ input: process.stdin })) {
      if (line === 'make') print(await holding.makeAll());
      else if (line === 'ask') holding.askAll();
      else if (line === 'report') print(holding.report());
      else throw new UserError(usage, 2);
    }
    holding.end();
  },
};

async function runClient(argv: string[]): Promise<unknown> {
  const { values, positionals } = readArguments(argv);
  const { from = [] } = values;
  if (from.length === 0) throw new UserError(`--from is missing\n${usage}`, 2);
  const command = commands[positionals.join(' ')];
  if (!command) throw new UserError(usage, 2);
  return command({ ...values, from, timeoutMs: positive('timeout', values.timeout) * 1000 });
}

function readArguments(argv: string[]) {
  try {
    return parseArgs({ args: argv, options, allowPositionals: true });
  } catch (error) {
    throw new UserError(`${(error as Error).message}\n${usage}`, 2);
  }
}

function required(name: string, value: string | undefined): string {
  if (value === undefined) throw new UserError(`--${name} is missing\n${usage}`, 2);
  return value;
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new UserError(`--${name} must be a positive number, not "${text}"`, 2);
  return value;
}

function whole(name: string, text: string): number {
  const value = positive(name, text);
  if (!Number.isInteger(value)) throw new UserError(`--${name} must be whole, not "${text}"`, 2);
  return value;
}

function total(all: Counts[]): Counts {
  const sum: Counts = {};
  for (const [key, n] of all.flatMap((counts) => Object.entries(counts))) {
    sum[key] = (sum[key] ?? 0) + n;
  }
  return sum;
}

/** True if stdout takes more. */
const print = (value: unknown): boolean => process.stdout.write(`${JSON.stringify(value)}\n`);

try {
  const result = await runClient(process.argv.slice(2));
  if (result !== undefined && !print(result)) await once(process.stdout, 'drain');
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = error.status;
}
