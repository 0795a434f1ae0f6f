// The connection table with the names of the configuration.

import type { Applied } from '../model/applied.ts';
import type { ConnectionState } from '../model/state.ts';
import { Names } from './config-names.ts';
import type { Director } from './director.ts';
import { readConnections } from './read-connections.ts';
import { gatewayAddress } from './read-table.ts';

/** One at a time, in no order: there may be millions. */
export function* readConnectionStates(
  director: Director,
  applied: Applied | undefined,
): Generator<ConnectionState> {
  const names = new Names(applied);
  const entries = director.maps.gateways.all();
  const withId = names.gateways.filter(({ id }) => id !== 0);
  const gatewayNames = new Map(
    withId.map(({ id, config }) => [gatewayAddress(entries.get(id)), config.name]),
  );
  for (const connection of readConnections(director))
    yield {
      ...connection,
      gatewayName: gatewayNames.get(connection.gateway) ?? connection.gateway,
      serviceName: names.serviceName(connection.fwmark),
    };
}
