// `-S`: the table as commands, one a line, each gateway after its service. restore.ts reads it
// back.

import type { Service, ServiceGateway, Table } from '../model/table.ts';
import { defaultNetmasks } from './draft.ts';
import { sortGateways, sortServices } from './find.ts';
import { formatEndpoint } from './format.ts';
import { type Forwarder, forwarders } from './forwarder.ts';

/**
 * Always numeric: what is saved must not depend on names. Thresholds are saved too, which ipvsadm
 * forgets.
 */
export const formatSave = (table: Table, forwarder: Forwarder): string =>
  sortServices(table.services)
    .flatMap((service) => [
      saveService(service),
      ...sortGateways(service.gateways).map((gateway) => saveGateway(service, gateway, forwarder)),
    ])
    .map((line) => `${line}\n`)
    .join('');

const option = (when: boolean, text: string): string => (when ? ` ${text}` : '');

const keyOf = ({ family, fwmark }: Service): string => `-f ${fwmark}${option(family === 6, '-6')}`;

function saveService(service: Service): string {
  const { persistence, netmask, family, schedulerFlags } = service;
  const masked = persistence > 0 && netmask !== defaultNetmasks[family];
  return (
    `-A ${keyOf(service)} -s ${service.scheduler}` +
    option(persistence > 0, `-p ${persistence}`) +
    option(masked, `-M ${netmask}`) +
    option(service.persistenceKey !== 'source', `--pe ${service.persistenceKey}`) +
    option(service.onePacket, '-o') +
    option(schedulerFlags.length > 0, `-b ${schedulerFlags.join(',')}`)
  );
}

function saveGateway(service: Service, gateway: ServiceGateway, forwarder: Forwarder): string {
  const { address, port, weight, upper, lower } = gateway;
  return (
    `-a ${keyOf(service)} -r ${formatEndpoint(address, port)} ${forwarders[forwarder]} -w ${weight}` +
    option(upper > 0, `-x ${upper}`) +
    option(lower > 0, `-y ${lower}`)
  );
}
