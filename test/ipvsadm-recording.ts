// Recordings of the real ipvsadm (test/golden/ipvsadm): reading them, and saying what ours should
// print instead.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { schedulers } from '../src/model/scheduler.ts';

export const folder = join(import.meta.dirname, 'golden/ipvsadm');

export interface Printed {
  stdout: string;
  stderr: string;
  exit: number;
}

export interface Recording extends Printed {
  name: string;
  number: number;
  args: string[];
  state: string;
  stdin: string;
}

const read = (name: string): string => readFileSync(join(folder, name), 'utf8');

export function readRecordings(): Recording[] {
  return readdirSync(folder)
    .filter((name) => /^\d{3}-.*\.txt$/.test(name))
    .sort()
    .map((name) => parseRecording(name.replace('.txt', ''), read(name)));
}

function parseRecording(name: string, text: string): Recording {
  const [command = '', ...sections] = text.split(/^--- /m);
  const section = (title: string): string =>
    sections.find((one) => one.startsWith(`${title}\n`))?.slice(title.length + 1) ?? '';
  const field = (title: string): string =>
    sections
      .find((one) => one.startsWith(title))
      ?.slice(title.length)
      .trim() ?? '';
  return {
    name,
    number: Number(name.slice(0, 3)),
    args: command.trim().replace(' < stdin', '').split(' ').slice(1),
    state: field('state: '),
    stdin: section('stdin'),
    stdout: section('stdout'),
    stderr: section('stderr'),
    exit: Number(field('exit ')),
  };
}

/**
 * The commands that build a state, without those that failed and those about what we do not have.
 */
export function readSetup(state: string): string[][] {
  const lines = read(`_setup-${state}.txt`).split('\n');
  return lines
    .filter((line, index) => line.startsWith('ipvsadm') && !lines[index + 1]?.startsWith('# exit'))
    .map((line) => line.split(' ').slice(1))
    .filter((args) => !isOtherService(args));
}

export const isOtherService = (args: readonly string[]): boolean =>
  args.some((arg) => ['-t', '-u', '--sctp-service'].includes(arg));

/** Fwmarks of services with a scheduler that we do not have yet: nothing is expected of them. */
export function unknownMarks(commands: readonly string[][]): Set<string> {
  const unknown = commands.filter(
    (args) => args[0] === '-A' && !schedulers.has(args[args.indexOf('-s') + 1] ?? ''),
  );
  return new Set(unknown.map((args) => args[args.indexOf('-f') + 1] ?? ''));
}

/** Their forwarders become ours. */
export const translateArgs = (args: readonly string[]): string[] =>
  args.map((arg) =>
    /^(-[gim]|--gatewaying|--masquerading)$/.test(arg)
      ? '-j'
      : arg.replace(/^localhost$/, '127.0.0.1'),
  );

/** What ours is expected to print: the same, but for what every listing or message differs in. */
export function translate(text: string, dropped: ReadonlySet<string>): string {
  const listed = text.startsWith('IPVS connection') ? text : dropServices(text, dropped);
  return (
    listed
      .replace(/^( {2}-> .{28} )(Route {2}|Masq {3}|Tunnel ) /gm, '$1ReInj   ')
      .replace(/ -[gim] -w (\d+)( --tun-.*)?$/gm, ' -j -w $1')
      // Marks from 2^31 on are printed as what they are, so that a saved table can be restored.
      .replace(/^(FWM {2}|-[Aa] -f )-(\d+)/gm, (_, before, mark) => before + (2 ** 32 - mark))
      .replace("`ipvsadm -h' or 'ipvsadm --help'", "`lvsj ipvsadm -h' or 'lvsj ipvsadm --help'")
      // One line a message: theirs has an empty one behind it.
      .replace('-6 used before -f\n\n', '-6 used before -f\n')
  );
}

/**
 * Takes services by address, and those with an unknown scheduler, out of a listing or a saved
 * table.
 */
function dropServices(text: string, dropped: ReadonlySet<string>): string {
  let keep = true;
  const kept = text.split(/(?<=\n)/).filter((line) => {
    const [word = '', mark = ''] = line.split(/ +/);
    if (/^(TCP|UDP|SCTP)$/.test(word)) keep = false;
    else if (word === 'FWM') keep = !dropped.has(mark);
    else if (/^-[Aa] /.test(line)) keep = isSaved(line, dropped);
    return keep;
  });
  return kept.join('');
}

function isSaved(line: string, dropped: ReadonlySet<string>): boolean {
  const words = line.trim().split(' ');
  return !isOtherService(words) && !dropped.has(words[2] ?? '');
}
