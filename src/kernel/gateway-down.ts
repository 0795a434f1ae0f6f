// Takes gateways down and up again: by one flag that every program heeds with its next packet.

import * as abi from './abi.gen.ts';
import type { Director } from './director.ts';

const { GATEWAY_DOWN } = abi.gatewayFlag;

/** ids: of gateways that are there. Needs no lock: nothing else is read or written. */
export function setDown(
  { maps: { gateways } }: Director,
  ids: readonly number[],
  down: boolean,
): void {
  for (const id of ids) {
    const gateway = gateways.get(id);
    if (!gateway || isDown(gateway) === down) continue;
    gateways.set(id, { ...gateway, flags: gateway.flags ^ GATEWAY_DOWN });
  }
}

const isDown = ({ flags }: abi.Gateway): boolean => (flags & GATEWAY_DOWN) !== 0;
