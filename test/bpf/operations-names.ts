// Names of connections and templates, as flows and as entries of the table.

import type * as abi from '../../src/kernel/abi.gen.ts';
import { addressFromWords } from '../../src/model/address.ts';
import { persistenceKeys } from '../../src/model/persistence.ts';
import type { PersistenceKey, Service, ServiceKey } from '../../src/model/table.ts';
import type { Flow } from './flow.ts';
import { netmasks } from './operations.ts';

/** By the shorter masks, which our addresses make simple. */
function masked(address: string, { netmask, family }: Service): string {
  if (netmask !== netmasks[family]) return address;
  return address.replace(/[0-9a-f]+$/, family === 4 ? '0' : '');
}

export const nameOf = ({ client, port, protocol, server, serverPort }: Flow): string => {
  const name = `${protocol} ${client} ${server}`;
  if (protocol === 'gre') return name;
  return `${name} ${port} ${protocol === 'icmp' ? 0 : serverPort}`;
};

const protocolNames: Record<number, string> = {
  1: 'icmp',
  6: 'tcp',
  17: 'udp',
  47: 'gre',
  58: 'icmp',
  132: 'sctp',
};

/** As nameOf, of an entry. */
export function nameOfEntry({
  protocol,
  client,
  clientPort,
  server,
  serverPort,
}: abi.ConnKey): string {
  const [from, to] = [addressFromWords(client.word), addressFromWords(server.word)];
  const name = `${protocolNames[protocol]} ${from} ${to}`;
  return protocol === 47 ? name : `${name} ${clientPort} ${serverPort}`;
}

/** By what the connections of a template have in common. */
function nameClient(service: ServiceKey, key: PersistenceKey, from: string, to: string): string {
  const client = key === 'destination' ? '' : from;
  const server = key === 'source' ? '' : to;
  return `${service.family} ${service.fwmark} ${client} ${server}`;
}

export function nameOfTemplate(key: abi.ConnKey, service: ServiceKey): string {
  const [from, to] = [addressFromWords(key.client.word), addressFromWords(key.server.word)];
  return nameClient(service, persistenceKeys[key.persistence]!, from, to);
}

/** The template that this flow's connections have. */
export function nameOfClient(flow: Flow, service: Service): string {
  const [from, to] = [masked(flow.client, service), masked(flow.server, service)];
  return nameClient(service, service.persistenceKey, from, to);
}
