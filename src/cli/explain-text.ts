// An explanation as people read it: a few aligned lines.

import { protocolsWithPorts } from '../config/words.ts';
import { formatEndpoint } from '../ipvsadm/format.ts';
import type {
  Candidate,
  Decision,
  ExplainedEntry,
  ExplainedGateway,
  ExplainedPacket,
  ExplainedService,
  Explanation,
} from '../model/explanation.ts';
import { formatProtocol } from '../model/protocol.ts';
import { formatColumns } from './columns.ts';

/** Width of the labels, and of what stands before the lines of a table. */
const labelWidth = 12;
const ICMP = 1;
const ICMPV6 = 58;
const line = (label: string, text: string): string => `${label.padEnd(labelWidth)}${text}`;

function formatAge(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`;
  return `${Math.floor(seconds / 3600)} h`;
}

function formatPacket(packet: ExplainedPacket): string {
  const { protocol, client, clientPort, server, serverPort, link, dscp } = packet;
  const end = (address: string, port: number): string =>
    protocolsWithPorts.includes(protocol) ? formatEndpoint(address, port) : address;
  const words = [
    `${formatProtocol(protocol)} ${end(client, clientPort)} -> ${end(server, serverPort)}`,
    link === '' ? "the router's own" : `from ${link}`,
    ...(protocol === ICMP || protocol === ICMPV6 ? [`identifier ${clientPort}`] : []),
    ...(dscp === 0 ? [] : [`dscp ${dscp}`]),
  ];
  return words.join(', ');
}

/** What really happened. */
function formatConnection({
  state,
  age,
  expires,
  gatewayName,
  reason,
  generation,
}: ExplainedEntry): string {
  const under = generation === 0 ? '' : ` under configuration ${generation}`;
  return `${state}, began ${formatAge(age)} ago, ends in ${formatAge(expires)} without packets; ${gatewayName} by ${reason}${under}`;
}

function formatTemplate({ gatewayName, expires }: ExplainedEntry, reason: string): string {
  const used = reason === 'template' ? '' : '; not used, for it takes no new connection';
  return `${gatewayName}, ${formatAge(expires)} left${used}`;
}

function formatService({
  name,
  fwmark,
  scheduler,
  persistence,
  persistenceKey,
}: ExplainedService): string {
  const words = [
    name === '' ? `fwmark ${fwmark}` : `${name}: fwmark ${fwmark}`,
    ...(scheduler === '' ? [] : [scheduler]),
    ...(persistence > 0 ? [`persistent ${persistence} s by ${persistenceKey}`] : []),
  ];
  return words.join(', ');
}

const columns = [
  { title: 'tier', right: true, optional: true },
  { title: 'gateway' },
  { title: 'weight', right: true },
  { title: 'active', right: true },
  { title: 'inactive', right: true },
  { title: '' },
];

function formatCandidates(candidates: Candidate[]): string[] {
  if (candidates.length === 0) return [];
  const tiered = new Set(candidates.map(({ tier }) => tier)).size > 1;
  const rows = candidates.map(({ tier, gateway, weight, active, inactive, ...why }) => [
    tiered ? String(tier) : '',
    gateway,
    ...[weight, active, inactive].map(String),
    [why.chosen ? 'chosen' : '', why.refused, why.passed].filter((word) => word !== '').join('; '),
  ]);
  const [title = '', ...lines] = formatColumns(columns, rows);
  return [line('candidates', title), ...lines.map((text) => line('', text))];
}

function formatGateway({ name, id, address, link }: ExplainedGateway, decision: Decision): string {
  const way = address === '' ? `dev ${link}` : `${address} on ${link}`;
  const notes: Record<string, string> = {
    table_full: '; the table is full: nothing remembers it',
    one_packet: '; for this datagram alone',
    known: '; as the connection that lives',
  };
  const { verdict, reason } = decision;
  const reasons: Record<string, string> = {
    bound: ', for its source is of that link',
    resolver: ', whose resolver it asks',
  };
  const by = verdict === 'known' ? '' : (reasons[reason] ?? `, by ${reason}`);
  return `${name} (${id}): ${way}${by}${notes[decision.verdict] ?? ''}`;
}

function formatDecision(decision: Decision): string[] {
  const { condition, rule, service, template, candidates, gateway, reason } = decision;
  const lines: string[] = [];
  if (condition !== '') lines.push(line('if', condition));
  if (rule) lines.push(line('rule', `${rule.name} (${rule.at})`));
  if (service) lines.push(line('service', formatService(service)));
  if (template) lines.push(line('template', formatTemplate(template, reason)));
  lines.push(...formatCandidates(candidates));
  lines.push(
    line('gateway', gateway ? formatGateway(gateway, decision) : `none: ${decision.because}`),
  );
  if (decision.route !== '') lines.push(line('route', decision.route));
  if (gateway && gateway.source !== '') lines.push(line('source', gateway.source));
  return lines;
}

/** What is there has no claim to the next connection on its ports. */
const isAnew = (decisions: readonly Decision[]): boolean =>
  decisions.some(({ verdict }) => verdict !== '' && verdict !== 'known');

/** Several decisions: the first whose condition holds. */
export function formatExplanation({ packet, connection, decisions }: Explanation): string {
  const lines = [
    line('packet', formatPacket(packet)),
    line('connection', connection ? formatConnection(connection) : 'none yet'),
    ...(connection && isAnew(decisions) ? [line('', 'ended: the next one is scheduled anew')] : []),
  ];
  for (const [i, decision] of decisions.entries()) {
    if (decisions.length > 1) lines.push('');
    if (i > 0 && decision.condition === '') lines.push('else');
    lines.push(...formatDecision(decision));
  }
  return `${lines.join('\n')}\n`;
}
