// Listings: Table -> the text of `ipvsadm -L`, byte for byte but for the forwarder's name.

import type { Connection, Counters, Service, ServiceGateway, Table } from '../model/table.ts';
import { exit, UserError } from '../util/error.ts';
import type { ListCommand } from './command.ts';
import { defaultNetmasks } from './draft.ts';
import { findService, sortGateways, sortServices } from './find.ts';
import { column, formatCounter, formatEndpoint, formatExpiry, type Names } from './format.ts';
import type { Forwarder } from './forwarder.ts';

/** One form of listing: its two title lines, and how it prints a service and a gateway. */
interface Form {
  titles: string;
  service: (service: Service) => string;
  gateway: (gateway: ServiceGateway, endpoint: string) => string;
}

const serviceName = (service: Service): string =>
  `FWM  ${service.fwmark}${service.family === 6 ? ' IPv6' : ''}`;

function serviceLine(service: Service): string {
  const { scheduler, schedulerFlags, persistence, persistenceKey, netmask, family } = service;
  const flags = schedulerFlags.length > 0 ? ` (${schedulerFlags.join(',')})` : '';
  const mask = netmask === defaultNetmasks[family] ? '' : ` mask ${netmask}`;
  const persistent = persistence > 0 ? ` persistent ${persistence}${mask}` : '';
  const engine = persistenceKey === 'source' ? '' : ` pe ${persistenceKey}`;
  const ops = service.onePacket ? ' ops' : '';
  return `${serviceName(service)} ${scheduler}${flags}${persistent}${engine}${ops}`;
}

const lastColumns = ({ active, inactive }: ServiceGateway): string =>
  `${column(active, 10)}${String(inactive).padEnd(10)}`;

const plain = (forwarder: Forwarder): Form => ({
  titles:
    'Prot LocalAddress:Port Scheduler Flags\n' +
    '  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn',
  service: serviceLine,
  gateway: (gateway, endpoint) =>
    column(endpoint, 28) + column(forwarder, 7) + column(gateway.weight, 6) + lastColumns(gateway),
});

const tunInfo = (forwarder: Forwarder): Form => ({
  titles:
    'Prot LocalAddress:Port Scheduler Flags\n' +
    '  -> RemoteAddress:Port           Forward TunnelInfo    Weight ActiveConn InActConn',
  service: serviceLine,
  gateway: (gateway, endpoint) =>
    column(endpoint, 28) +
    column(forwarder, 7) +
    column('n/a', 13) +
    column(gateway.weight, 6) +
    lastColumns(gateway),
});

const thresholds: Form = {
  titles:
    'Prot LocalAddress:Port            Uthreshold Lthreshold ActiveConn InActConn \n' +
    '  -> RemoteAddress:Port',
  service: serviceLine,
  gateway: (gateway, endpoint) =>
    column(endpoint, 28) +
    column(gateway.upper, 10) +
    column(gateway.lower, 10) +
    lastColumns(gateway),
};

const persistentConn: Form = {
  titles:
    'Prot LocalAddress:Port            Weight    PersistConn ActiveConn InActConn \n' +
    '  -> RemoteAddress:Port',
  service: serviceLine,
  gateway: (gateway, endpoint) =>
    column(endpoint, 28) +
    column(gateway.weight, 9) +
    column(gateway.persistent, 11) +
    lastColumns(gateway),
};

const fields = ['connections', 'inPackets', 'outPackets', 'inBytes', 'outBytes'] as const;

const counterColumns = (counters: Counters, exact: boolean): string =>
  fields.map((field) => formatCounter(counters[field], exact)).join('');

/**
 * A gateway's rates of connections and packets are never shortened, only its bytes: ipvsadm's
 * habit.
 */
const rateColumns = (rates: Counters): string =>
  fields.map((field) => formatCounter(rates[field], !field.endsWith('Bytes'))).join('');

const stats = (exact: boolean): Form => ({
  titles:
    'Prot LocalAddress:Port               Conns   InPkts  OutPkts  InBytes OutBytes\n' +
    '  -> RemoteAddress:Port',
  service: (service) => serviceName(service).padEnd(33) + counterColumns(service.totals, exact),
  gateway: (gateway, endpoint) => endpoint.padEnd(28) + counterColumns(gateway.totals, exact),
});

const rate = (exact: boolean): Form => ({
  titles:
    'Prot LocalAddress:Port                 CPS    InPPS   OutPPS    InBPS   OutBPS\n' +
    '  -> RemoteAddress:Port',
  service: (service) => serviceName(service).padEnd(33) + counterColumns(service.rates, exact),
  gateway: ({ rates }, endpoint) =>
    endpoint.padEnd(28) + (exact ? counterColumns(rates, true) : rateColumns(rates)),
});

/** Several forms at once: the first of this list wins, whatever the order on the command line. */
function chooseForm(command: ListCommand): Form {
  if (command.stats) return stats(command.exact);
  if (command.rate) return rate(command.exact);
  if (command.thresholds) return thresholds;
  if (command.persistentConn) return persistentConn;
  return (command.tunInfo ? tunInfo : plain)(command.forwarder);
}

/**
 * `-L`: all services, or the one of `-f`, which comes without the first line. Throws if there is no
 * such service.
 */
export function formatList(table: Table, command: ListCommand, names?: Names): string {
  const form = chooseForm(command);
  const only = command.key && findService(table, command.key);
  if (command.key && !only) throw new UserError('No such service', exit.list);
  const all = command.sort ? sortServices(table.services) : table.services;
  const lines = only ? [] : [`IP Virtual Server version 1.2.1 (size=${table.size})`];
  lines.push(form.titles);
  const lookUp = command.numeric ? undefined : names;
  for (const service of only ? [only] : all) {
    lines.push(form.service(service));
    const gateways = command.sort ? sortGateways(service.gateways) : service.gateways;
    for (const gateway of gateways)
      lines.push(`  -> ${form.gateway(gateway, listedEndpoint(service, gateway, lookUp))}`);
  }
  return `${lines.join('\n')}\n`;
}

/** Names of IPv4 gateways are cut to their column; IPv6 addresses push the columns. */
function listedEndpoint(service: Service, gateway: ServiceGateway, names?: Names): string {
  const endpoint = formatEndpoint(gateway.address, gateway.port, names);
  return service.family === 4 ? endpoint.slice(0, 28) : endpoint;
}

const protocols: ReadonlyMap<number, string> = new Map([
  [0, 'IP'],
  [1, 'ICMP'],
  [6, 'TCP'],
  [17, 'UDP'],
  [58, 'ICMPv6'],
  [132, 'SCTP'],
]);

/** `-Lc`, in the order in which the connections are given: IPVS has no order either. */
export function formatConnections(
  connections: readonly Connection[],
  command: ListCommand,
  names?: Names,
): string {
  const lookUp = command.numeric ? undefined : names;
  // The two columns of persistence engines, which we lack, are only ever titles.
  const engine = command.persistentConn ? '        pe name          pe_data' : '';
  const lines = [
    'IPVS connection entries',
    `pro expire state       source             virtual            destination${engine}`,
    ...connections.map((connection) => connectionLine(connection, lookUp)),
  ];
  return `${lines.join('\n')}\n`;
}

function connectionLine(connection: Connection, names?: Names): string {
  const { protocol, client, clientPort, server, serverPort, gateway, gatewayPort } = connection;
  return (
    column(protocols.get(protocol) ?? `IP_${protocol}`, 3) +
    column(formatExpiry(connection.expires), 6) +
    column(connection.state, 11) +
    column(formatEndpoint(client, clientPort, names), 18) +
    column(formatEndpoint(server, serverPort, names), 18) +
    formatEndpoint(gateway, gatewayPort, names)
  );
}

/** `-L --timeout`. */
export const formatTimeouts = ({ timeouts }: Pick<Table, 'timeouts'>): string =>
  `Timeout (tcp tcpfin udp): ${timeouts.tcp} ${timeouts.tcpFin} ${timeouts.udp}\n`;
