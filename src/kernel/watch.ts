// Tells when somebody changes links, addresses, routes, policy rules or nftables in this network
// namespace: by `ip monitor` and `nft monitor`, kept running.

import { type ChildProcess, spawn } from 'node:child_process';
import {
  type AddressEvent,
  type IpEvent,
  type LinkEvent,
  type NeighbourEvent,
  parseEvent,
} from './ip-events.ts';

export interface Watch {
  close(): void;
}

/** Called at once. What went lost is not told: then `seen` is called, and all is to be looked at. */
export interface NetworkListener {
  /** Also its carrier. */
  link?: (event: LinkEvent) => void;
  address?: (event: AddressEvent) => void;
  neighbour?: (event: NeighbourEvent) => void;
  /** Anything but neighbours that packets may go by: routes and rules of others, too. */
  any?: () => void;
  /** Those of this link are told; a LAN has thousands that nobody asks for. */
  hasNeighbours?: (link: string) => boolean;
}

interface Program {
  argv: [program: string, ...args: string[]];
  line: (line: string) => void;
  /** It had to be started again, or could not keep up with the kernel. */
  lost: () => void;
}

const restartMs = 200;

function watchProgram({ argv: [program, ...args], line, lost }: Program): Watch {
  let child: ChildProcess | undefined;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  const start = (): void => {
    const env = { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin` };
    const started = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    child = started;
    splitLines(started.stdout, line);
    // `netlink receive error No buffer space available`: it goes on after that.
    started.stderr.on('data', lost);
    started.on('error', () => {});
    started.on('close', () => {
      if (closed) return;
      timer = setTimeout(() => {
        start();
        lost();
      }, restartMs);
    });
  };
  start();
  return {
    close: () => {
      closed = true;
      clearTimeout(timer);
      child?.kill();
    },
  };
}

/** Not by node:readline, which takes its time where a hundred thousand routes come. */
function splitLines(stream: NodeJS.ReadableStream, line: (line: string) => void): void {
  let begun = '';
  stream.setEncoding('utf8');
  stream.on('data', (text: string) => {
    const lines = (begun + text).split('\n');
    begun = lines.pop() ?? '';
    for (const each of lines) line(each);
  });
}

const ip = (...objects: string[]): Program['argv'] => [
  ...(['ip', '-N', '-o', 'monitor', 'label'] as const),
  ...objects,
];

/**
 * seen: something changed that a configuration, or what is ours, may follow from; listener: what it was. Routes have a
 * process of their own: a carrier's loss must not wait behind those of a whole BGP table.
 */
export function watchNetwork(seen: () => void, listener: NetworkListener = {}): Watch {
  const known = new Map<string, string>();
  const line = (text: string): void => {
    const event = parseEvent(text);
    if (!event) {
      if (isRouting(text)) listener.any?.();
      return;
    }
    tell(event, listener);
    if (!isNews(event, known)) return;
    listener.any?.();
    seen();
  };
  const lost = (): void => {
    known.clear();
    listener.any?.();
    seen();
  };
  const watches = [ip('link', 'address', 'neigh', 'rule'), ip('route')].map((argv) =>
    watchProgram({ argv, line, lost }),
  );
  return {
    close: () => {
      for (const watch of watches) watch.close();
    },
  };
}

const isRouting = (line: string): boolean => /^\[(ROUTE|RULE)\]/.test(line);

function tell(event: IpEvent, { link, address, neighbour, hasNeighbours }: NetworkListener): void {
  if (event.kind === 'link') link?.(event);
  else if (event.kind === 'address') address?.(event);
  else if (event.kind === 'neighbour' && hasNeighbours?.(event.link)) neighbour?.(event);
}

/** Links and addresses are told again and again as they are: with each advertisement, each scan of a wireless link. */
function isNews(event: IpEvent, known: Map<string, string>): boolean {
  if (event.kind === 'neighbour') return false;
  if (event.kind === 'route') return true;
  const key = event.kind === 'link' ? String(event.ifindex) : `${event.link} ${event.address}`;
  const text = JSON.stringify(event);
  const same = known.get(key) === text;
  if (event.deleted) known.delete(key);
  else known.set(key, text);
  return !same;
}

/** Rules alone: sets that packets fill would have much to tell. */
export const watchNft = (seen: () => void): Watch =>
  watchProgram({ argv: ['nft', 'monitor', 'rules'], line: seen, lost: seen });
