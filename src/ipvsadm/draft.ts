// Collects the options of one command line: each value is checked as it is read, so that the first
// offence is reported.

import { largestCount, longestTimeout } from '../model/bounds.ts';
import type { Family } from '../model/table.ts';
import { exit, UserError } from '../util/error.ts';
import { formatIpv4, parseInteger, parseIpv4, parseServer, type ServerAddress } from './address.ts';
import type { Context } from './command.ts';
import type { OptionName } from './options.ts';
import type { Word } from './words.ts';

/** What `-p` alone means; the manual page says 300, the tool does 360. */
const defaultPersistence = 360;
const defaultScheduler = 'wlc';

/** Each client for itself. */
export const defaultNetmasks: Readonly<Record<Family, string>> = { 4: '255.255.255.255', 6: '128' };

/** What has been read so far, with ipvsadm's defaults for the rest. */
export interface Draft {
  given: Set<OptionName>;
  /** Why the command cannot be served, said only when the rest of it is sound. */
  refused: string | undefined;
  fwmark: number;
  family: Family;
  scheduler: string;
  /** `-b` as written: it is judged by the scheduler, which may come later. */
  flags: string | undefined;
  persistence: number;
  engine: string;
  netmask: string;
  server: ServerAddress;
  weight: number;
  upper: number;
  lower: number;
}

export const newDraft = (): Draft => ({
  given: new Set(),
  refused: undefined,
  fwmark: 0,
  family: 4,
  scheduler: defaultScheduler,
  flags: undefined,
  persistence: 0,
  engine: '',
  netmask: defaultNetmasks[4],
  server: { family: 4, address: '', port: 0 },
  weight: 1,
  upper: 0,
  lower: 0,
});

/** An error of the command line itself: status 2. */
export const misuse = (message: string): never => {
  throw new UserError(message, exit.usage);
};

/** Notes one switch in the draft. */
export function readOption(draft: Draft, word: Word, context: Context): void {
  const { found, text } = word;
  if (found.command) misuse(`invalid option \`${text}'`);
  if (found.option && draft.given.has(found.option))
    misuse(`multiple '${found.option}' options specified`);
  if (found.option) draft.given.add(found.option);
  if (found.refused && found.forwarder !== context.forwarder)
    draft.refused ??= `${found.short ? `-${found.short}` : `--${found.long}`}: ${found.refused}`;
  else if (found.long === 'ipv6') chooseIpv6(draft);
  else readValue(draft, word, context);
}

function chooseIpv6(draft: Draft): void {
  if (!draft.given.has('service-address')) misuse('-6 used before -f');
  // The mask starts anew, so a -M in front of -6 is lost: ipvsadm's habit.
  draft.family = 6;
  draft.netmask = defaultNetmasks[6];
}

function readValue(draft: Draft, word: Word, context: Context): void {
  const value = word.value ?? '';
  switch (word.found.option) {
    case 'service-address':
      draft.fwmark = parseFwmark(value, context);
      break;
    case 'scheduler':
      draft.scheduler = value || defaultScheduler;
      break;
    case 'sched-flags':
      draft.flags = value;
      break;
    case 'persistent':
      draft.persistence = word.value === undefined ? defaultPersistence : parseTimeout(value, 1);
      break;
    case 'pe':
      draft.engine = value;
      break;
    case 'netmask':
      draft.netmask = parseNetmask(value, draft.family);
      break;
    case 'real-server':
      draft.server = parseGateway(value);
      break;
    case 'weight':
      draft.weight = parseCount(value, 'weight');
      break;
    case 'u-threshold':
      draft.upper = parseCount(value, 'u_threshold');
      break;
    case 'l-threshold':
      draft.lower = parseCount(value, 'l_threshold');
      break;
  }
}

function parseFwmark(text: string, { markMask }: Context): number {
  const invalid = `invalid fwmark value \`${text}' specified`;
  const mark = parseInteger(text, 1, 2 ** 32 - 1) ?? misuse(invalid);
  if ((mark & markMask) === 0) return mark;
  const lowest = (markMask & -markMask) >>> 0;
  const free = lowest > 1 ? `1..${lowest - 1} are free` : 'use a mark without them';
  const bits = `0x${(markMask >>> 0).toString(16).padStart(8, '0')}`;
  return misuse(`${invalid}: the bits ${bits} hold the gateway, ${free}`);
}

export const parseTimeout = (text: string, min: number): number =>
  parseInteger(text, min, longestTimeout) ?? misuse(`invalid timeout value \`${text}' specified`);

const parseCount = (text: string, what: string): number =>
  parseInteger(text, 0, largestCount) ?? misuse(`illegal ${what} specified`);

function parseNetmask(text: string, family: Family): string {
  if (family === 4) {
    const mask = parseIpv4(text) ?? misuse('illegal virtual server persistent mask specified');
    return formatIpv4(mask);
  }
  // As C's atoi: what follows the digits is ignored.
  const length = Number.parseInt(text, 10);
  if (!(length >= 1 && length <= 128)) misuse('illegal ipv6 netmask specified');
  return String(length);
}

function parseGateway(text: string): ServerAddress {
  const server = parseServer(text) ?? misuse('illegal real server address[:port] specified');
  const { address } = server;
  if (/^fe[89ab]/.test(address) && !address.includes('%'))
    misuse(`${address} may be on any link: write the gateway as ${address}%LINK`);
  return server;
}
