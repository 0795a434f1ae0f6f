// Argument list -> Command: ipvsadm's grammar, its order of checks, its sentences, its exit codes.
// The flow: the first word is the command, options are read as they come, then what is missing,
// illegal or in conflict.

import { UserError } from '../util/error.ts';
import { type Command, type Context, defaultContext, type ListCommand } from './command.ts';
import {
  type Draft,
  defaultNetmasks,
  misuse,
  newDraft,
  parseTimeout,
  readOption,
} from './draft.ts';
import type { Forwarder } from './forwarder.ts';
import {
  type CommandName,
  listKinds,
  noDaemon,
  type OptionName,
  optionNames,
  ruleOf,
} from './options.ts';
import { parseSchedulerFlags } from './schedulers.ts';
import { readWords, type Word } from './words.ts';

export const seeHelp = "Try `lvsj ipvsadm -h' or 'lvsj ipvsadm --help' for more information.";

/**
 * Reads one command. Throws UserError: status 2 for misuse, 255 for what the option library would
 * refuse.
 */
export function parseCommand(args: readonly string[], context: Context = defaultContext): Command {
  const draft = newDraft();
  if (args.length === 0) return listCommand(draft, context.forwarder);
  const rest: string[] = [];
  const words = readWords(args, rest);
  const { name, value } = firstCommand(words);
  // Help wins over anything that follows it, even over nonsense.
  if (name === 'help' || name === 'version') return { kind: name };
  if (name === 'start-daemon' || name === 'stop-daemon') return refuseDaemon(name, value);
  for (const word of words) readOption(draft, word, context);
  const timeouts = name === 'set' ? takeTimeouts(rest) : [];
  if (rest[0] !== undefined) misuse(`unexpected argument ${rest[0]}`);
  const flags = draft.flags === undefined ? [] : parseSchedulerFlags(draft.flags, draft.scheduler);
  checkOptions(name, draft.given);
  if (draft.refused !== undefined) misuse(draft.refused);
  return build(name, draft, { flags, timeouts, forwarder: context.forwarder });
}

/** ipvsadm does not say what is wrong with a first word that is no command. */
function firstCommand(words: Generator<Word>): { name: CommandName; value: string | undefined } {
  let first: Word | undefined;
  try {
    first = words.next().value ?? undefined;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
  }
  const name = first?.found.command;
  if (name === undefined) throw new UserError(seeHelp);
  return { name, value: first?.value };
}

function refuseDaemon(name: CommandName, value: string | undefined): never {
  if (value !== 'master' && value !== 'backup') misuse(`illegal ${name} parameter specified`);
  return misuse(`--${name}: ${noDaemon}`);
}

/** `--set` takes its three numbers from the arguments that belong to no switch. */
function takeTimeouts(rest: string[]): number[] {
  const texts = rest.splice(0, 3);
  if (texts.length < 3) misuse('--set option requires 3 timeout values');
  return texts.map((text) => parseTimeout(text, 0));
}

function checkOptions(command: CommandName, given: ReadonlySet<OptionName>): void {
  const { needs, allows } = ruleOf(command);
  for (const option of optionNames) {
    if (needs.includes(option) && !given.has(option))
      misuse(`You need to supply the '${option}' option for the '${command}' command`);
    if (given.has(option) && !needs.includes(option) && !allows.includes(option))
      misuse(`Illegal '${option}' option with the '${command}' command`);
  }
  if (command === 'list') checkListOptions(given);
}

function checkListOptions(given: ReadonlySet<OptionName>): void {
  const [first, second] = listKinds.filter((option) => given.has(option));
  if (first && second)
    misuse(`The option '${second}' conflicts with the '${first}' option in the 'list' command`);
  if (first === undefined || first === 'service-address') return;
  const forms: OptionName[] = ['stats', 'rate', 'thresholds'];
  if (first !== 'connection') forms.push('persistent-conn');
  if (forms.some((option) => given.has(option))) misuse('options conflicts in the list command');
}

function listCommand(draft: Draft, forwarder: Forwarder): ListCommand {
  const { given, family, fwmark } = draft;
  let what: ListCommand['what'] = 'services';
  if (given.has('connection')) what = 'connections';
  else if (given.has('timeout')) what = 'timeouts';
  else if (given.has('daemon')) what = 'daemon';
  return {
    kind: 'list',
    ...(given.has('service-address') ? { key: { family, fwmark } } : {}),
    what,
    numeric: given.has('numeric'),
    stats: given.has('stats'),
    rate: given.has('rate'),
    thresholds: given.has('thresholds'),
    persistentConn: given.has('persistent-conn'),
    tunInfo: given.has('tun-info'),
    exact: given.has('exact'),
    sort: !given.has('nosort'),
    forwarder,
  };
}

function serverCommand(kind: 'add-server' | 'edit-server', draft: Draft): Command {
  const { server, family, fwmark, weight, upper, lower } = draft;
  if (server.family !== family)
    misuse('Different address family is allowed only for tunneling servers');
  const { address, port } = server;
  return { kind, key: { family, fwmark }, address, port, weight, upper, lower };
}

function build(
  name: Exclude<CommandName, 'help' | 'version' | 'start-daemon' | 'stop-daemon'>,
  draft: Draft,
  read: { flags: string[]; timeouts: number[]; forwarder: Forwarder },
): Command {
  const { family, fwmark, scheduler, persistence, server, given } = draft;
  const key = { family, fwmark };
  switch (name) {
    case 'add-service':
    case 'edit-service': {
      // Without persistence a mask has no meaning, is never shown and never saved.
      const netmask = persistence ? draft.netmask : defaultNetmasks[family];
      const flags = { schedulerFlags: read.flags, onePacket: given.has('ops') };
      return { kind: name, key, scheduler, ...flags, persistence, engine: draft.engine, netmask };
    }
    case 'add-server':
    case 'edit-server':
      return serverCommand(name, draft);
    case 'delete-service':
      return { kind: name, key };
    case 'delete-server':
      return { kind: name, key, address: server.address, port: server.port };
    case 'set': {
      const [tcp = 0, tcpFin = 0, udp = 0] = read.timeouts;
      return { kind: name, tcp, tcpFin, udp };
    }
    case 'list':
      return listCommand(draft, read.forwarder);
    case 'save':
      return { kind: name, numeric: given.has('numeric'), forwarder: read.forwarder };
    case 'zero':
      return given.has('service-address') ? { kind: name, key } : { kind: name };
    case 'flush':
    case 'restore':
      return { kind: name };
  }
}
