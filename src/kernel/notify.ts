// Tells systemd how the daemon is: sd_notify(3), a datagram of NAME=VALUE lines to $NOTIFY_SOCKET.
// By libc, for Node.js has no Unix datagram sockets. Without systemd there is no such variable, and nothing is sent.

import { UserError } from '../util/error.ts';
import * as libbpf from './libbpf.ts';

export interface Notice {
  /** Started, or done with a reload. */
  ready?: boolean;
  reloading?: boolean;
  stopping?: boolean;
  /** Still alive: to be said every watchdogIntervalMs(). */
  watchdog?: boolean;
  /** One line for `systemctl status`. */
  status?: string;
}

const AF_UNIX = 1;
const SOCK_DGRAM_CLOEXEC = 2 | 0o2000000;
const MSG_NOSIGNAL = 0x4000;
/** sizeof sun_path of struct sockaddr_un. */
const longestPath = 108;

/** True if it was sent; a UserError if the socket is there and takes nothing. */
export function notify(notice: Notice, env: NodeJS.ProcessEnv = process.env): boolean {
  const { NOTIFY_SOCKET: socket } = env;
  if (socket === undefined || socket === '') return false;
  const text = Buffer.from(formatNotice(notice));
  const address = socketAddress(socket);
  const tried = `tell systemd by NOTIFY_SOCKET=${socket}`;
  const fd = check(libbpf.socket(AF_UNIX, SOCK_DGRAM_CLOEXEC, 0), tried);
  try {
    check(libbpf.sendTo(fd, text, text.length, MSG_NOSIGNAL, address, address.length), tried);
  } finally {
    libbpf.closeFd(fd);
  }
  return true;
}

export function formatNotice(notice: Notice): string {
  const lines: string[] = [];
  if (notice.ready) lines.push('READY=1');
  // systemd 253 and later tells by the time which of several reloads this is (Type=notify-reload).
  if (notice.reloading)
    lines.push('RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`);
  if (notice.stopping) lines.push('STOPPING=1');
  if (notice.watchdog) lines.push('WATCHDOG=1');
  if (notice.status !== undefined) lines.push(`STATUS=${notice.status.replace(/\s+/g, ' ')}`);
  return lines.join('\n');
}

/** How often to say `watchdog`: twice as often as systemd asks for. Undefined if it does not ask this process. */
export function watchdogIntervalMs(
  env: NodeJS.ProcessEnv = process.env,
  pid: number = process.pid,
): number | undefined {
  const us = Number(env.WATCHDOG_USEC);
  if (!Number.isFinite(us) || us <= 0) return undefined;
  // Children inherit the variables of their parent.
  if (env.WATCHDOG_PID !== undefined && Number(env.WATCHDOG_PID) !== pid) return undefined;
  return Math.max(1, Math.floor(us / 2000));
}

/** struct sockaddr_un. A name that begins with @ is an abstract one, which begins with a zero byte and ends with none. */
function socketAddress(name: string): Buffer {
  const path = Buffer.from(name);
  if (!/^[/@]./.test(name) || path.length >= longestPath)
    throw new UserError(
      `NOTIFY_SOCKET=${name}: systemd gives an absolute path or @name of less than ${longestPath} bytes`,
    );
  if (name.startsWith('@')) path[0] = 0;
  const family = Buffer.alloc(2);
  family.writeUInt16LE(AF_UNIX);
  return Buffer.concat([family, path, Buffer.alloc(name.startsWith('/') ? 1 : 0)]);
}

/** libc's functions return -1 and set errno, unlike libbpf's. */
function check(result: number, tried: string): number {
  if (result < 0) throw new UserError(`${tried}: ${libbpf.errorText(libbpf.errno())}`);
  return result;
}
