// Makes, uses and removes labs. What exists is read from the machine (network namespaces by name, and
// the lab's directory), so another process, or a later one, can take down what this one made.

import { type ChildProcess, spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
} from 'node:fs';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import { UserError } from '../util/error.ts';
import { run, tryRun } from '../util/run.ts';
import { waitUntil } from '../util/wait-until.ts';
import { formatHostBatch, formatLinksBatch, formatMachineBatch } from './batch.ts';
import { startClient, startServer as startDhcpServer } from './dhcp.ts';
import { directoryOf, inHost, runDirectory } from './place.ts';
import { endProcesses } from './processes.ts';
import { checkLabName, httpPorts, type Lab, namespaceOf } from './topology.ts';

export { inHost } from './place.ts';

/** Where `ip netns` keeps names. */
const namespaceDirectory = '/run/netns';

const program = (path: string) => [process.execPath, fileURLToPath(new URL(path, import.meta.url))];
/** The HTTP and echo server (src/lab/server.ts), which other hosts may run too. */
export const serverProgram = program('server.ts');
const cliProgram = program('../cli/main.ts');
/** The LAN's client program (src/lab/client.ts), for `inHost(name, 'lan', [...clientProgram, ...])`. */
export const clientProgram = program('client.ts');

/** Makes the lab and starts its internet server; takes down what it made if anything fails. */
export async function labUp(lab: Lab): Promise<void> {
  requireRoot();
  claim(lab.name);
  try {
    run(['ip', '-batch', '-'], { input: formatMachineBatch(lab) });
    for (const host of lab.hosts) {
      runBatch(host.namespace, [], formatLinksBatch(lab, host));
    }
    for (const host of lab.hosts) {
      runBatch(host.namespace, ['-4'], formatHostBatch(host, 4));
      runBatch(host.namespace, ['-6'], formatHostBatch(host, 6));
    }
    await startServer(lab.name);
    await startDhcp(lab);
  } catch (error) {
    // What failed first is the news; what is left, `down` can try again.
    await labDown(lab.name).catch(() => {});
    throw error;
  }
}

/**
 * Removes a lab, whole or half-made: its processes, its director, its namespaces, its files.
 * False if there was none.
 */
export async function labDown(name: string): Promise<boolean> {
  requireRoot();
  checkLabName(name);
  const hosts = findHosts(name);
  const directory = directoryOf(name);
  if (hosts.length === 0 && !existsSync(directory)) return false;
  const namespaces = hosts.map((host) => namespaceOf(name, host));
  // Processes first: a daemon that still runs would repair what `stop` takes away.
  await endProcesses(namespaces.map((ns) => `${namespaceDirectory}/${ns}`));
  const problem = hosts.includes('director') ? stopDirector(name) : undefined;
  for (const ns of namespaces) removeSocket(ns);
  deleteNamespaces(namespaces);
  rmSync(directory, { recursive: true, force: true });
  removeIfEmpty(runDirectory);
  if (problem) throw new UserError(`lab ${name} is gone, its director was not stopped: ${problem}`);
  return true;
}

/** Runs a program on a host with this process's own stdin, stdout and stderr; its exit status. */
export async function labExec(name: string, host: string, argv: string[]): Promise<number> {
  requireRoot();
  checkLabName(name);
  const hosts = findHosts(name);
  if (hosts.length === 0) throw new UserError(`there is no lab "${name}"; lvsj lab up makes it`);
  if (!hosts.includes(host)) {
    throw new UserError(`lab ${name} has no host "${host}", but ${hosts.join(', ')}`, 2);
  }
  const [command, ...args] = inHost(name, host, argv);
  const child = spawn(command!, args, { stdio: 'inherit' });
  // Ctrl-C goes to the program too and is for it to obey: a shell in the lab must outlive it.
  const ignore = () => {};
  process.on('SIGINT', ignore).on('SIGQUIT', ignore);
  const pass = (signal: NodeJS.Signals) => child.kill(signal);
  process.on('SIGTERM', pass).on('SIGHUP', pass);
  try {
    return await exitStatus(child);
  } finally {
    process.off('SIGINT', ignore).off('SIGQUIT', ignore);
    process.off('SIGTERM', pass).off('SIGHUP', pass);
  }
}

export interface LabEntry {
  name: string;
  hosts: string[];
}

/** All labs of this machine, half-made ones included. */
export function labList(): LabEntry[] {
  const inNamespace = /^lvsj-(.+)-(?:lan|director|isp\d+|internet)$/;
  const inDirectory = /^lab-(.+)$/;
  const names = new Set([
    ...listNamespaces().flatMap((entry) => inNamespace.exec(entry)?.[1] ?? []),
    ...list(runDirectory).flatMap((entry) => inDirectory.exec(entry)?.[1] ?? []),
  ]);
  return [...names].sort().map((name) => ({ name, hosts: findHosts(name) }));
}

/** The lab's directory is also its lock: of two `up` at the same time one makes it. */
function claim(name: string): void {
  const taken = new UserError(`lab ${name} is up already (or half-made); lvsj lab down removes it`);
  if (findHosts(name).length > 0) throw taken;
  for (;;) {
    mkdirSync(runDirectory, { recursive: true });
    try {
      mkdirSync(directoryOf(name));
      return;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EEXIST') throw taken;
      // Another lab's `down` removed the parent in between.
      if (code !== 'ENOENT') throw error;
    }
  }
}

function runBatch(namespace: string, options: string[], input: string): void {
  run(['ip', ...options, '-n', namespace, '-batch', '-'], { input });
}

async function startDhcp(lab: Lab): Promise<void> {
  const isps = lab.isps.filter(({ access }) => access === 'dhcp');
  for (const isp of isps) startDhcpServer(lab, isp);
  await Promise.all(isps.map((isp) => startClient(lab, isp)));
}

async function startServer(name: string): Promise<void> {
  const logPath = `${directoryOf(name)}/server.log`;
  const log = openSync(logPath, 'a');
  const argv = [...serverProgram, ...httpPorts.map(String)];
  const [command, ...args] = inHost(name, 'internet', argv);
  const child = spawn(command!, args, { detached: true, stdio: ['ignore', log, log] });
  closeSync(log);
  child.unref();
  const failure: { message?: string } = {};
  child.on('error', ({ message }) => {
    failure.message = message;
  });
  const said = () => readFileSync(logPath, 'utf8');
  const ended = () => (failure.message ?? child.exitCode ?? child.signalCode) !== null;
  const settled = () => ended() || said().includes('ready\n');
  await waitUntil(`start of the lab's server (${logPath})`, settled, 10_000);
  if (ended()) throw new UserError(`the lab's server ended: ${failure.message ?? said().trim()}`);
}

/** A director of ours in the namespace, stopped by our own command; what went wrong, if anything did. */
function stopDirector(name: string): string | undefined {
  const running = tryRun(['ip', '-n', namespaceOf(name, 'director'), 'link', 'show', 'lvsj0']);
  if (running.status !== 0) return undefined;
  const { status, stderr } = tryRun(inHost(name, 'director', [...cliProgram, 'stop']));
  return status === 0 || stderr.includes('not running') ? undefined : stderr.trim();
}

/** That of a daemon which was killed: see util/socket-path.ts. */
function removeSocket(namespace: string): void {
  const found = statSync(`${namespaceDirectory}/${namespace}`, { throwIfNoEntry: false });
  if (found) rmSync(`${runDirectory}/netns-${found.ino}.sock`, { force: true });
}

function deleteNamespaces(namespaces: string[]): void {
  // Goes on after an error: one that somebody else deleted must not keep the others.
  const input = namespaces.map((ns) => `netns del ${ns}\n`).join('');
  const { stderr } = tryRun(['ip', '-force', '-batch', '-'], { input });
  const left = listNamespaces().filter((ns) => namespaces.includes(ns));
  if (left.length > 0) throw new UserError(`cannot delete ${left.join(', ')}: ${stderr.trim()}`);
}

async function exitStatus(child: ChildProcess): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  child.on('error', reject);
  child.on('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal!]));
  return promise;
}

/** The hosts of a lab that exist, in the order of the plan. */
function findHosts(name: string): string[] {
  const prefix = namespaceOf(name, '');
  const found = listNamespaces().filter((ns) => ns.startsWith(prefix));
  const hosts = found.map((ns) => ns.slice(prefix.length));
  // What else there is belongs to a lab whose name merely begins like this one's.
  const ours = hosts.filter((host) => /^(lan|director|isp\d+|internet)$/.test(host));
  return ours.sort((a, b) => rank(a) - rank(b));
}

function rank(host: string): number {
  const order = ['lan', 'director', 'isp', 'internet'];
  return order.indexOf(host.replace(/\d+$/, '')) * 100 + Number(/\d+$/.exec(host)?.[0] ?? 0);
}

const listNamespaces = () => list(namespaceDirectory);
const list = (directory: string) => (existsSync(directory) ? readdirSync(directory) : []);

function removeIfEmpty(directory: string): void {
  try {
    rmdirSync(directory);
  } catch {
    // Something else of ours lives there.
  }
}

function requireRoot(): void {
  if (process.geteuid?.() === 0) return;
  throw new UserError('a lab needs root: it makes network namespaces');
}
