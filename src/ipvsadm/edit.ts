// Table + command -> new table: the rules of IPVS for services and gateways, with the kernel's own
// sentences. Pure; the caller writes the result to the kernel. Checks come in the order in which
// IPVS makes them.

import { limits } from '../model/bounds.ts';
import { persistenceKeys } from '../model/persistence.ts';
import { schedulers } from '../model/scheduler.ts';
import {
  noCounters,
  plainPolicy,
  type Service,
  type ServiceGateway,
  sameService,
  type Table,
} from '../model/table.ts';
import { UserError } from '../util/error.ts';
import { parseIpv4, parseIpv6 } from './address.ts';
import type { EditCommand, ServerCommand, ServiceCommand } from './command.ts';
import { findService } from './find.ts';

type GatewayKey = { address: string; port: number };

const refuse = (message: string): never => {
  throw new UserError(message);
};

/**
 * Returns the table that the command asks for; throws UserError with IPVS's sentence and status
 * 255.
 */
export function editTable(table: Table, command: EditCommand): Table {
  switch (command.kind) {
    case 'add-service':
      return addService(table, command);
    case 'edit-service':
      return editService(table, command);
    case 'delete-service': {
      const gone = findService(table, command.key) ?? refuse('No such service');
      return { ...table, services: table.services.filter((service) => service !== gone) };
    }
    case 'flush':
      return { ...table, services: [] };
    case 'add-server':
      return addServer(table, command);
    case 'edit-server':
      return editServer(table, command);
    case 'delete-server':
      return deleteServer(table, command);
    case 'set':
      return { ...table, timeouts: setTimeouts(table, command) };
  }
}

/** 0 keeps a timeout as it is. */
const setTimeouts = (
  { timeouts }: Table,
  command: Extract<EditCommand, { kind: 'set' }>,
): Table['timeouts'] => ({
  tcp: command.tcp || timeouts.tcp,
  tcpFin: command.tcpFin || timeouts.tcpFin,
  udp: command.udp || timeouts.udp,
});

function settingsOf(
  command: ServiceCommand,
): Omit<Service, keyof typeof plainPolicy | 'gateways' | 'totals' | 'rates'> {
  if (!schedulers.has(command.scheduler)) refuse('Scheduler or persistence engine not found');
  const { scheduler, schedulerFlags, persistence, engine, netmask, onePacket } = command;
  const persistenceKey =
    persistenceKeys.find((name) => name === (engine || 'source')) ??
    refuse('Scheduler or persistence engine not found');
  const kept = persistence > 0 ? persistenceKey : 'source';
  const persistent = { persistence, persistenceKey: kept, netmask };
  return { ...command.key, scheduler, schedulerFlags, ...persistent, onePacket };
}

/** A director holds each tier of a service as one of its own. */
const countTiers = ({ services }: Table): number =>
  services.reduce(
    (sum, { gateways }) => sum + new Set([0, ...gateways.map((g) => g.tier)]).size,
    0,
  );

function addService(table: Table, command: ServiceCommand): Table {
  if (findService(table, command.key)) refuse('Service already exists');
  const settings = settingsOf(command);
  if (countTiers(table) >= limits.services)
    refuse(`Too many services: a director holds ${limits.services}`);
  const added = {
    ...settings,
    ...plainPolicy,
    gateways: [],
    totals: noCounters(),
    rates: noCounters(),
  };
  return { ...table, services: [...table.services, added] };
}

function editService(table: Table, command: ServiceCommand): Table {
  const old = findService(table, command.key) ?? refuse('No such service');
  return replace(table, { ...old, ...settingsOf(command) });
}

const replace = (table: Table, changed: Service): Table => ({
  ...table,
  services: table.services.map((service) => (sameService(service, changed) ? changed : service)),
});

const isGateway = (gateway: GatewayKey, key: GatewayKey): boolean =>
  gateway.address === key.address && gateway.port === key.port;

const serviceOf = (table: Table, { key }: Pick<ServerCommand, 'key'>): Service =>
  findService(table, key) ?? refuse('Service not defined');

function checkThresholds({ upper, lower }: ServerCommand): void {
  if (lower > upper) refuse('Numerical result out of range');
}

function addServer(table: Table, command: ServerCommand): Table {
  const service = serviceOf(table, command);
  checkThresholds(command);
  if (service.gateways.some((gateway) => isGateway(gateway, command)))
    refuse('Destination already exists');
  if (!isUnicast(command.address))
    refuse('Invalid operation.  Possibly wrong module version, address not unicast, ...');
  if (service.gateways.length >= limits.gatewaysOfService)
    refuse(`Too many gateways: a service holds ${limits.gatewaysOfService}`);
  checkNextHops(table, command.address);
  const { address, port, weight, upper, lower } = command;
  const counts = { active: 0, inactive: 0, persistent: 0 };
  const counters = { totals: noCounters(), rates: noCounters() };
  const added: ServiceGateway = {
    address,
    port,
    weight,
    upper,
    lower,
    tier: 0,
    ...counts,
    ...counters,
  };
  // At the head: ties and the start of rr follow this order.
  return replace(table, { ...service, gateways: [added, ...service.gateways] });
}

function checkNextHops({ services }: Table, address: string): void {
  // Most gateways serve several services: found early, the rest of a large table is not walked.
  if (services.some(({ gateways }) => gateways.some((gateway) => gateway.address === address)))
    return;
  const known = new Set(
    services.flatMap(({ gateways }) => gateways.map((gateway) => gateway.address)),
  );
  if (known.size >= limits.nextHops)
    refuse(`Too many gateways: a director knows ${limits.nextHops} different next hops`);
}

/** IPVS asks the routing table; without it: no "any", multicast or limited broadcast address. */
function isUnicast(address: string): boolean {
  if (address.includes(':')) {
    const range = parseIpv6(address.replace(/%.*/, ''))?.range();
    return range !== 'unspecified' && range !== 'multicast' && range !== 'ipv4Mapped';
  }
  const value = parseIpv4(address) ?? 0;
  return value !== 0 && value !== 0xffffffff && value >>> 28 !== 0xe;
}

function editServer(table: Table, command: ServerCommand): Table {
  const service = serviceOf(table, command);
  checkThresholds(command);
  const old =
    service.gateways.find((gateway) => isGateway(gateway, command)) ??
    refuse('No such destination');
  const { weight, upper, lower } = command;
  const changed = { ...old, weight, upper, lower };
  const gateways = service.gateways.map((gateway) => (gateway === old ? changed : gateway));
  return replace(table, { ...service, gateways });
}

function deleteServer(
  table: Table,
  command: Extract<EditCommand, { kind: 'delete-server' }>,
): Table {
  const service = serviceOf(table, command);
  const gateways = service.gateways.filter((gateway) => !isGateway(gateway, command));
  if (gateways.length === service.gateways.length) refuse('No such destination');
  return replace(table, { ...service, gateways });
}
