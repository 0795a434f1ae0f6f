// Replaces a director that this lvsj can't drive, for it speaks another ABI, by a new one. Its tables can't be
// read, but bpf/abi.h says what can: what is applied, what stop must put back, how full it is.
//
// Gateways keep their ids, and conntrack keeps the marks: what it knows stays on its gateway. What goes
// is the connection table (templates, counts, reasons).

import type { Applied } from '../model/applied.ts';
import type { Config } from '../model/config.ts';
import type { Environment } from '../model/environment.ts';
import { resolveGateways } from '../plan/gateways.ts';
import { toHop } from '../plan/hops.ts';
import { planConfig } from '../plan/plan.ts';
import { UserError } from '../util/error.ts';
import { readApplied } from './applied.ts';
import { applyConfig } from './apply.ts';
import { clearMarks } from './conntrack.ts';
import { Director, markBits } from './director.ts';
import { readEnvironment } from './environment.ts';
import { toGateway, withoutPresence } from './hops.ts';
import { withLock } from './lock.ts';
import { DirectorObject } from './object.ts';
import { whilePaused } from './pause.ts';
import { emptyTable } from './read-table.ts';

/** Connections and templates in the table of a director of any ABI. */
export const countEntries = ({ maps }: Director): number =>
  maps.map('table_counts').get(Buffer.alloc(4))?.readUInt32LE(0) ?? 0;

/** What is applied there; a refusal where a new director would not have it again. */
export function appliedOf(director: Director): Applied {
  const applied = director.maps.byName.has('applied') ? readApplied(director) : undefined;
  if (!applied)
    throw new UserError(
      'lvsj upgrade --drain: no configuration is applied, and the services are written as this lvsj ' +
        "can't read: save them with the lvsj that started the director (lvsj ipvsadm -S > FILE), " +
        'lvsj stop with it, then lvsj ipvsadm -R < FILE with this one',
    );
  if (applied.unconfirmed)
    throw new UserError(
      'lvsj upgrade --drain: a configuration waits for its confirmation; lvsj confirm it, with the ' +
        'lvsj that applied it, or wait until it is taken back',
    );
  return applied;
}

/** Throws before anything is changed if the new one could not be. */
function prove(config: Config, environment: Environment): void {
  markBits(config.markMask);
  const nothing = { table: emptyTable(), known: new Map(), applied: undefined, environment };
  planConfig(config, {}, nothing);
  new DirectorObject().close();
}

/** What the gateways were, so that the same next hops get the same ids. */
function keepIds({ maps }: Director, config: Config, ids: Applied['gatewayIds']): void {
  const environment = readEnvironment();
  const resolved = resolveGateways(config, { environment, ids, known: new Map() });
  for (const { id, link, address } of resolved) {
    if (id === 0 || address === '') continue;
    const gateway = toGateway(toHop(id, address, link, false), undefined);
    maps.gateways.set(id, withoutPresence(gateway));
  }
}

/** Stop, start and apply in one go; how many entries the old table had. */
export function replaceDirector(config: Config): number {
  return withLock(() => {
    using old = Director.findAny();
    if (!old)
      throw new UserError('lvsj upgrade: the director went meanwhile; lvsj apply starts one');
    const { file, admin, gatewayIds, config: before } = appliedOf(old);
    const environment = readEnvironment();
    prove(config, environment);
    const entries = countEntries(old);
    const { connections, markMask } = config;
    whilePaused(before.markMask, () => {
      old.takeDown();
      if (before.markMask !== markMask) clearMarks(before.markMask);
      using director = Director.start({ connections, markMask });
      keepIds(director, config, gatewayIds);
      const input = { config, file, environment: readEnvironment(), admin, repair: true };
      applyConfig(director, { ...input, unconfirmed: null });
    });
    return entries;
  });
}
