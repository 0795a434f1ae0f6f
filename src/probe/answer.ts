// What a probe comes back with, and how failures of the network and of this machine become that.

import type { ProbeResult, ProbeTarget } from '../monitor/types.ts';
import { UserError } from '../util/error.ts';

export type Answer = Pick<ProbeResult, 'outcome' | 'rttMs' | 'detail'>;

/** What every kind of probe is given. */
export interface Job {
  target: ProbeTarget;
  timeoutMs: number;
}

const longestDetail = 200;

export const ok = (rttMs: number | null): Answer => ({ outcome: 'ok', rttMs, detail: '' });
export const silent = (detail: string): Answer => failed('silent', detail);
export const wrong = (detail: string): Answer => failed('wrong', detail);
export const voided = (detail: string): Answer => failed('void', detail);

export const unanswered = (timeoutMs: number): Answer => silent(`no answer in ${timeoutMs} ms`);

const failed = (outcome: Answer['outcome'], detail: string): Answer => ({
  outcome,
  rttMs: null,
  detail: toDetail(detail),
});

/** One short line that a terminal and a log can take, of words that may be anybody's. */
export function toDetail(text: string): string {
  const [line = ''] = text.trim().split('\n');
  const plain = line.replace(/[\p{C}\s]+/gu, ' ').trim();
  return plain.length > longestDetail ? `${plain.slice(0, longestDetail - 1)}…` : plain;
}

/** Somebody answered, but not as it should be. */
export class WrongAnswer extends Error {}

/** Errors of the network: nobody is there, or somebody on the way says so. */
const silentCodes: Record<string, string> = {
  // ICMPv6: administratively prohibited.
  EACCES: 'prohibited',
  ECONNREFUSED: 'refused',
  ECONNRESET: 'connection reset',
  EHOSTUNREACH: 'host unreachable',
  ENETUNREACH: 'network unreachable',
  EPIPE: 'connection closed',
  EPROTO: 'protocol unreachable',
  ETIMEDOUT: 'no answer',
};

/** Errors that this machine makes by itself: nothing was asked. */
const voidCodes = new Set(
  'EADDRINUSE EADDRNOTAVAIL EAGAIN EINVAL EMFILE ENETDOWN ENFILE ENOBUFS ENODEV ENOMEM EPERM'.split(
    ' ',
  ),
);

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : '';

export const isOfNetwork = (error: unknown): boolean => codeOf(error) in silentCodes;

/** The answer that an error is; one that is a bug is thrown again. */
export function fromError(error: unknown): Answer {
  if (error instanceof WrongAnswer) return wrong(error.message);
  if (error instanceof UserError) return voided(error.message);
  const code = codeOf(error);
  if (code === '' || error instanceof TypeError || error instanceof RangeError) throw error;
  if (voidCodes.has(code)) return voided((error as Error).message);
  // Of the libraries that read what came (HPE_…, ERR_SSL_…), which have many.
  return silentCodes[code] ? silent(silentCodes[code]) : wrong((error as Error).message);
}
