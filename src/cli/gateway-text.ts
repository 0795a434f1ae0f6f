// Gateways for people: a list of all, and all that is known of one.

import { formatAmount } from '../model/amount.ts';
import type { EvidenceState } from '../model/evidence.ts';
import type { GatewayState } from '../model/state.ts';
import { type Cell, formatColumns } from './columns.ts';
import { type Paint, plain, type Style } from './paint.ts';

type Standing = Pick<GatewayState, 'name' | 'present' | 'admin' | 'unavailable' | 'health'>;

const styles: Record<GatewayState['admin'], Style> = {
  enabled: 'green',
  drained: 'yellow',
  disabled: 'red',
};

/** What the admin said, and why it can't have connections: `enabled`, `drained; no default route on eth3`. */
export function standingCell({ name, present, admin, unavailable, health }: Standing): Cell {
  if (unavailable === '' && health.health === 'suspect')
    return { text: `${admin}, suspect: ${health.reason}`, style: 'yellow' };
  if (unavailable === '') return { text: admin, style: styles[admin] };
  const text = admin === 'enabled' ? unavailable : `${admin}; ${unavailable}`;
  return { text, style: name === '' && !present ? 'dim' : 'red' };
}

/** It has no number without a next hop. */
export const formatId = (id: number): string => (id === 0 ? '-' : String(id));
export const formatAddress = (address: string): string => address || '-';

const formatCapacity = (bits: number, assumed: boolean): string =>
  assumed ? `(${formatAmount(bits)})` : formatAmount(bits);

/** Three digits, as far as they go. */
function formatTime(us: number | null): string {
  if (us === null) return '-';
  const digits = [100_000, 10_000, 0].findIndex((smallest) => us >= smallest);
  return `${(us / 1000).toFixed(digits)} ms`;
}

const columns = [
  { title: 'name', optional: true },
  { title: 'id', right: true },
  { title: 'address' },
  { title: 'link' },
  { title: 'capacity down', right: true },
  { title: 'up', right: true },
  { title: 'now down', right: true },
  { title: 'up', right: true },
  { title: 'active', right: true },
  { title: 'inactive', right: true },
  { title: 'answer', right: true },
  { title: 'state' },
];

function toRow({ capacity, rate, connections, ...gateway }: GatewayState): Cell[] {
  return [
    gateway.name,
    formatId(gateway.id),
    formatAddress(gateway.address),
    gateway.link,
    formatCapacity(capacity.down, capacity.downAssumed),
    formatCapacity(capacity.up, capacity.upAssumed),
    formatAmount(rate.down),
    formatAmount(rate.up),
    String(connections.active),
    String(connections.inactive),
    formatTime(gateway.rttUs),
    standingCell(gateway),
  ];
}

/** Bits a second. */
export function formatGateways(gateways: readonly GatewayState[], paint: Paint = plain): string[] {
  const lines = formatColumns(columns, gateways.map(toRow), paint);
  const assumed = gateways.some(({ capacity }) => capacity.downAssumed || capacity.upAssumed);
  lines.push('', 'capacity, now: bits a second; answer: from SYN to SYN-ACK');
  if (assumed) lines.push('in brackets: nobody told; lvsj gateway NAME capacity DOWN UP');
  return lines;
}

/** `down since 2026-11-25 03:40:12, incident 5d2c8e01`. */
const formatHealth = ({ health, since, incident }: GatewayState['health']): string =>
  [
    since === '' ? health : `${health} since ${new Date(since).toLocaleString('sv')}`,
    ...(incident === '' ? [] : [`incident ${incident}`]),
  ].join(', ');

/** `98 % of 1.23k TCP connections`; those that wait for their answer are not answered. */
const formatShare = (answered: number, all: number, what: string): string =>
  `${all === 0 ? '-' : Math.floor((100 * answered) / all)} % of ${formatAmount(all)} ${what}`;

const evidenceRows = (evidence: EvidenceState): [string, string][] => [
  [
    'answered',
    `${formatShare(evidence.synAnswers, evidence.syns, 'TCP connections')}, ` +
      formatShare(evidence.askAnswers, evidence.asks, 'others'),
  ],
  ['  SYN sent again', `${formatAmount(evidence.synRepeats)} times`],
  ['  no way', `said ${formatAmount(evidence.unreachables)} ICMP errors`],
];

/** All that is known of one. */
export function formatGateway(gateway: GatewayState, paint: Paint = plain): string[] {
  const { capacity, rate, connections, totals } = gateway;
  const bits = (down: string, up: string): string => `${down} down, ${up} up (bits a second)`;
  const rows: [string, Cell][] = [
    ['name', gateway.name || '-'],
    ['number', formatId(gateway.id)],
    ['next hop', `${formatAddress(gateway.address)} on ${gateway.link} (IPv${gateway.family})`],
    ['state', standingCell(gateway)],
    ['health', formatHealth(gateway.health)],
    ['source address', gateway.snat || "not lvsj's to set"],
    [
      'capacity',
      bits(
        formatCapacity(capacity.down, capacity.downAssumed),
        formatCapacity(capacity.up, capacity.upAssumed),
      ),
    ],
    ['now', bits(formatAmount(rate.down), formatAmount(rate.up))],
    ['connections', `${connections.active} active, ${connections.inactive} inactive`],
    ['so far', `${formatAmount(totals.connections)} connections`],
    [
      '  to the internet',
      `${formatAmount(totals.inBytes)} bytes in ${formatAmount(totals.inPackets)} packets`,
    ],
    [
      '  from it',
      `${formatAmount(totals.outBytes)} bytes in ${formatAmount(totals.outPackets)} packets`,
    ],
    ['answer', formatTime(gateway.rttUs)],
    ...evidenceRows(gateway.evidence),
  ];
  return formatColumns([{ title: 'gateway' }, { title: '' }], rows, paint).slice(1);
}
