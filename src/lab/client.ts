// The lab's LAN clients: connections, downloads and datagrams from chosen addresses, counted by the
// address that the server saw. A program of its own (`node src/lab/client.ts COMMAND`), prints JSON.
// What failed is part of the result and not an exit status: a test wants the figures either way.

import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { UserError } from '../util/error.ts';
import { type Counts, connect } from './client-connect.ts';
import { download } from './client-download.ts';
import { endBySignal, keepSteady } from './client-steady.ts';
import { exchangeDatagrams } from './client-udp.ts';

const usage = `usage: client.ts connect --url URL --from ADDRESS... [--count N] [--parallel N] [--by-client]
       client.ts download --url URL --from ADDRESS
       client.ts udp --to ADDRESS --from ADDRESS... [--port N] [--count N] [--sockets N] [--first-port N]
       client.ts steady --to ADDRESS --from ADDRESS... [--count N] [--interval SECONDS] [--udp]
                 until SIGTERM or SIGINT
every command takes --timeout SECONDS (of one connection, silence or reply; default 5)`;

const options = {
  url: { type: 'string' },
  to: { type: 'string' },
  from: { type: 'string', multiple: true },
  count: { type: 'string', default: '1' },
  parallel: { type: 'string', default: '10' },
  sockets: { type: 'string', default: '1' },
  'first-port': { type: 'string', default: '0' },
  port: { type: 'string', default: '7' },
  interval: { type: 'string', default: '1' },
  udp: { type: 'boolean', default: false },
  timeout: { type: 'string', default: '5' },
  'by-client': { type: 'boolean', default: false },
} as const;

async function runClient(argv: string[]): Promise<unknown> {
  const { values, positionals } = readArguments(argv);
  const from = values.from ?? [];
  if (from.length === 0) throw new UserError(`--from is missing\n${usage}`, 2);
  const timeoutMs = positive('timeout', values.timeout) * 1000;
  const count = whole('count', values.count);
  switch (positionals.join(' ')) {
    case 'connect': {
      const parallel = whole('parallel', values.parallel);
      const url = required('url', values.url);
      const seen = await connect({ url, from, count, parallel, timeoutMs });
      return values['by-client'] ? seen : total(Object.values(seen));
    }
    case 'download':
      return download({ url: required('url', values.url), from: from[0]!, timeoutMs });
    case 'udp': {
      const sockets = whole('sockets', values.sockets);
      const port = whole('port', values.port);
      const to = required('to', values.to);
      const firstPort = Number(values['first-port']);
      return exchangeDatagrams({ to, port, from, count, sockets, firstPort, timeoutMs });
    }
    case 'steady': {
      const to = required('to', values.to);
      const intervalMs = positive('interval', values.interval) * 1000;
      const { udp } = values;
      return keepSteady({ to, from, count, udp, intervalMs, timeoutMs }, endBySignal());
    }
    default:
      throw new UserError(usage, 2);
  }
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

try {
  const result = await runClient(process.argv.slice(2));
  if (!process.stdout.write(`${JSON.stringify(result)}\n`)) await once(process.stdout, 'drain');
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = error.status;
}
