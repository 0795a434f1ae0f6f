// What changed, for log and events.

import type { DirectorEvent } from '../api/store.ts';
import { type Applied, adminOf, gatewayKey } from '../model/applied.ts';
import type { PlannedChange } from '../model/state.ts';

export type GatewayEvent = Extract<DirectorEvent, { type: 'gateway' }>;

export const formatChange = ({ verb, what, detail }: PlannedChange): string =>
  detail === '' ? `${verb} ${what}` : `${verb} ${what}: ${detail}`;

/** The gateways that another thing holds for now than before. */
export function gatewayEvents(before: Applied | undefined, now: Applied): GatewayEvent[] {
  return now.config.gateways.flatMap(({ name, via }) =>
    ([4, 6] as const).flatMap((family): GatewayEvent[] => {
      if (!via[family]) return [];
      const key = gatewayKey(name, family);
      const admin = adminOf(now.admin, name);
      const unavailable = now.unavailable[key] ?? '';
      const same =
        admin === adminOf(before?.admin ?? {}, name) &&
        unavailable === (before?.unavailable[key] ?? '');
      return same ? [] : [{ type: 'gateway', name, family, admin, unavailable }];
    }),
  );
}
