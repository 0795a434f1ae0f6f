// What a configuration says of failures, in the words of its file: for people who read what a plan changes.

import type { Failback, GatewayConfig, HookConfig, ProbeConfig } from '../model/config.ts';

/** `1s`, `500ms`. */
const time = (ms: number): string => (ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`);

function formatProbe(probe: ProbeConfig): string {
  switch (probe.kind) {
    case 'ping':
      return `ping ${probe.address}`;
    case 'tcp':
      return `tcp ${probe.address} port ${probe.port}`;
    case 'dns':
      return `dns ${probe.name} of ${probe.address}${probe.port === 53 ? '' : ` port ${probe.port}`}`;
    case 'http': {
      const body = probe.body === '' ? '' : ` with "${probe.body}"`;
      return `http ${probe.url} ${probe.status.join(' or ')}${body}`;
    }
    case 'command':
      return `command ${probe.command.join(' ')}`;
    default:
      return probe.kind;
  }
}

const thresholds = (
  bounds: { down: number; up: number } | undefined,
  format: (value: number) => string,
): string => (bounds ? `${format(bounds.down)} down, ${format(bounds.up)} up` : '');

/** Its monitor and its resolvers, by what a person would call each. */
export function watchWords({ monitor, resolvers }: GatewayConfig): Record<string, string> {
  const { hold } = monitor;
  return {
    'monitor probes': monitor.probes.map(formatProbe).join(', '),
    'monitor interval': time(monitor.intervalMs),
    'monitor timeout': time(monitor.timeoutMs),
    'monitor burst': time(monitor.burstMs),
    'monitor rise': String(monitor.rise),
    'monitor fall': String(monitor.fall),
    'monitor quorum': String(monitor.quorum),
    'monitor window': String(monitor.window),
    'monitor loss': thresholds(monitor.loss, (percent) => `${percent}%`),
    'monitor latency': thresholds(monitor.latency, time),
    'monitor hold':
      hold.first === hold.most ? time(hold.most) : `${time(hold.first)} to ${time(hold.most)}`,
    resolvers: resolvers.join(', '),
  };
}

/** As `stay`, `drain 60s`. */
export const formatFailback = (failback: Failback): string =>
  failback.kind === 'drain' ? `drain ${failback.seconds}s` : failback.kind;

/** When connections on a lower tier are treated as if their gateway were down. */
export function formatLeave(failback: Failback): string {
  if (failback.kind === 'now') return 'at once';
  return failback.kind === 'drain' ? `after ${failback.seconds}s` : '';
}

/** A hook has no name of its own: what it runs, and when. */
export function hookWords({ on, command, timeoutMs }: HookConfig) {
  const when = on.length > 0 ? ` at ${on.join(', ')}` : '';
  return { name: `${command.join(' ')}${when}`, timeout: time(timeoutMs) };
}
