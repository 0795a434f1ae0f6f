// What an admin tells a gateway of the configuration: drain, enable, disable. It outlives reloads.

import type { AdminState } from '../model/state.ts';
import { UserError } from '../util/error.ts';
import { readApplied } from './applied.ts';
import { applyConfig, type Done } from './apply.ts';
import type { Director } from './director.ts';
import { readEnvironment } from './environment.ts';

/** The next new connection meets it. The caller holds the lock. */
export function setAdmin(director: Director, name: string, state: AdminState): Done {
  const applied = readApplied(director);
  if (!applied?.config.gateways.some((gateway) => gateway.name === name))
    throw new UserError(
      `gateway ${name}: the configuration that is applied has none of this name; ` +
        'one of lvsj ipvsadm is drained with lvsj ipvsadm -e … -w 0',
    );
  const { [name]: _, ...others } = applied.admin;
  const admin = state === 'enabled' ? others : { ...others, [name]: state };
  const { config, file } = applied;
  return applyConfig(director, {
    config,
    file,
    environment: readEnvironment(),
    admin,
    repair: false,
  });
}
