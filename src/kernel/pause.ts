// Has the packets of connections that have a gateway wait while one director is replaced by another: they
// are dropped and sent again. Without it some would leave by another line meanwhile, and the kernel's
// masquerade forgets a connection that does. Who is killed meanwhile delays them by five seconds: the set
// empties itself.

import { hex } from '../plan/objects.ts';
import { run, tryRun } from '../util/run.ts';

const table = ['table', 'inet', 'lvsj_pause'];
const longestS = 5;

const script = (mask: number): string => `table inet lvsj_pause {
  set now {
    typeof meta nfproto
    flags timeout
    elements = { ipv4 timeout ${longestS}s, ipv6 timeout ${longestS}s }
  }
  chain prerouting {
    type filter hook prerouting priority -149; policy accept;
    ct mark & ${hex(mask)} != 0 meta nfproto @now drop
  }
}
`;

/** What a killed one left does nothing any more, and goes. */
export function endPause(): void {
  tryRun(['nft', 'delete', ...table]);
}

/** mask: the gateway bits. */
export function whilePaused<T>(mask: number, work: () => T): T {
  endPause();
  run(['nft', '-f', '-'], { input: script(mask) });
  try {
    return work();
  } finally {
    endPause();
  }
}
