// Runs other programs (ip, nft, tc, iptables …) without a shell and turns their failures into sentences.

import { spawnSync } from 'node:child_process';
import { constants } from 'node:os';
import { UserError } from './error.ts';

/** What came of a program; a killed one has status 128 + the signal's number. */
export interface RunResult {
  status: number;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  /** Written to the program's stdin; without it stdin is empty. */
  input?: string;
  /** Exit statuses that are no failure; [0] if not given. */
  okStatuses?: number[];
}

/** The Debian package of each program that we start, for the sentence that says what to install. */
const packageOf: Record<string, string> = {
  bpftool: 'bpftool',
  bridge: 'iproute2',
  clang: 'clang',
  conntrack: 'conntrack',
  curl: 'curl',
  dnsmasq: 'dnsmasq-base',
  fping: 'fping',
  gcc: 'gcc',
  ip: 'iproute2',
  ip6tables: 'iptables',
  iperf3: 'iperf3',
  iptables: 'iptables',
  modprobe: 'kmod',
  nft: 'nftables',
  nsenter: 'util-linux',
  ping: 'iputils-ping',
  ss: 'iproute2',
  sysctl: 'procps',
  tc: 'iproute2',
  tcpdump: 'tcpdump',
  traceroute: 'traceroute',
  unshare: 'util-linux',
  vtysh: 'frr',
};

/** Routes and rule sets of big routers are long; Node's own limit of 1 MiB would kill `ip` half-way. */
const maxOutputBytes = 1024 ** 3;

/** A shell's convention: 128 + the signal's number. */
const killedStatus = 128;

/** Runs `argv` and returns its stdout; a failure is a UserError with what the program said. */
export function run(argv: string[], options: RunOptions = {}): string {
  const result = tryRun(argv, options);
  const okStatuses = options.okStatuses ?? [0];
  if (!okStatuses.includes(result.status)) {
    throw new UserError(`"${argv.join(' ')}" failed: ${formatReason(result)}`);
  }
  return result.stdout;
}

/** Runs `argv` and returns what came of it; throws only if the program could not be started. */
export function tryRun(argv: string[], options: RunOptions = {}): RunResult {
  const [program, ...args] = argv;
  if (program === undefined) throw new Error('run: no program given');
  const child = spawnSync(program, args, {
    encoding: 'utf8',
    env: { ...process.env, PATH: programPath() },
    input: options.input ?? '',
    maxBuffer: maxOutputBytes,
  });
  // EPIPE: it ended without reading all of its input; its own status and words say more.
  const error = child.error as NodeJS.ErrnoException | undefined;
  if (error && error.code !== 'EPIPE') throw new UserError(startProblem(program, error));
  return {
    status: child.status ?? killedStatus + constants.signals[child.signal ?? 'SIGKILL'],
    stdout: child.stdout,
    stderr: child.stderr,
  };
}

/** Debian's `su` keeps the user's PATH, in which nft, tc and bpftool are not found. */
export const programPath = (): string => `${process.env.PATH ?? ''}:/usr/sbin:/sbin`;

/** Why a program could not be started, and what to install. */
export function startProblem(program: string, error: NodeJS.ErrnoException): string {
  if (error.code !== 'ENOENT') return `cannot run ${program}: ${error.message}`;
  const name = program.slice(program.lastIndexOf('/') + 1);
  const debianPackage = packageOf[name];
  return debianPackage === undefined
    ? `${program} is not installed`
    : `${program} is not installed; install the Debian package ${debianPackage}`;
}

/** The program's own words on stderr, else how it ended. */
function formatReason(result: RunResult): string {
  const words = result.stderr.trim();
  if (words !== '') return words;
  if (result.status <= killedStatus) return `exit status ${result.status}`;
  return `killed by signal ${result.status - killedStatus}`;
}
