// The one flag that says of a gateway that it takes no new connection: see enum on_down in bpf/abi.h.

import * as abi from './abi.gen.ts';
import type { Director } from './director.ts';

const { GATEWAY_DOWN } = abi.gatewayFlag;

/** The next packet meets it. Those that stand as wanted are not written. */
export function setDown({ maps }: Director, ids: readonly number[], down: boolean): void {
  for (const id of ids) {
    const gateway = maps.gateways.get(id);
    if (!gateway || ((gateway.flags & GATEWAY_DOWN) !== 0) === down) continue;
    const flags = down ? gateway.flags | GATEWAY_DOWN : gateway.flags & ~GATEWAY_DOWN;
    maps.gateways.set(id, { ...gateway, flags });
  }
}
