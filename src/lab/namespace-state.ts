// What `lvsj stop` must leave as `lvsj` found it: the settings of a lab host's network namespace, as
// the tools print them, and the difference of two such readings.

import { run, tryRun } from '../util/run.ts';
import { inHost } from './lab.ts';

/** The words of a command -> what it printed, without what changes by itself. */
export type NamespaceState = Record<string, string>;

const commands = [
  'ip rule',
  'ip -6 rule',
  'ip -4 route show table all',
  'ip -6 route show table all',
  // Stateless: rules that count packets are the same rules afterwards.
  'nft -s list ruleset',
  // With what only details show: address generation, promiscuity.
  'ip -details link',
  'tc qdisc show',
];

/** Counters among the settings; the others change only if somebody sets them. */
const sysctlCounters = /^net\.netfilter\.nf_conntrack_count /;

/** Reads the state of a lab's host now. */
export function namespaceState(name: string, host: string): NamespaceState {
  const read = (command: string): string => run(inHost(name, host, command.split(' ')));
  const state: NamespaceState = {};
  for (const command of commands) state[command] = withoutClocks(read(command));
  for (const link of linkNames(read('ip -json link')))
    for (const hook of ['root', 'ingress', 'egress']) {
      const command = `tc filter show dev ${link} ${hook}`;
      // Without the qdisc that has the hook some versions of tc print nothing and some complain.
      const { status, stdout } = tryRun(inHost(name, host, command.split(' ')));
      state[command] = status === 0 ? stdout : '';
    }
  // Some settings may not be read; sysctl says so and goes on.
  state['sysctl -a'] = networkSysctls(tryRun(inHost(name, host, ['sysctl', '-a'])).stdout);
  return state;
}

/** One line for each line that came or went, under the command that prints it; none if all is equal. */
export function diffNamespaceStates(before: NamespaceState, after: NamespaceState): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].flatMap((name) => {
    const [was = '', is = ''] = [before[name], after[name]];
    if (was === is) return [];
    const gone = minus(lines(was), lines(is)).map((line) => `${name}: - ${line}`);
    const came = minus(lines(is), lines(was)).map((line) => `${name}: + ${line}`);
    const changes = [...gone, ...came];
    return changes.length > 0 ? changes : [`${name}: the same lines in another order`];
  });
}

function linkNames(json: string): string[] {
  return (JSON.parse(json) as { ifname: string }[]).map(({ ifname }) => ifname);
}

/** The network's settings: the others are the machine's, and no namespace has its own. */
export function networkSysctls(text: string): string {
  return lines(text)
    .filter((line) => line.startsWith('net.') && !sysctlCounters.test(line))
    .join('\n');
}

/** A route that the kernel learned counts its own life down. */
const withoutClocks = (text: string): string => text.replaceAll(/ expires -?\d+sec/g, '');

const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '');

/** Each line of `these` as often as it is there more than in `those`. */
function minus(these: string[], those: string[]): string[] {
  const left = [...those];
  return these.filter((line) => {
    const index = left.indexOf(line);
    if (index >= 0) left.splice(index, 1);
    return index < 0;
  });
}
