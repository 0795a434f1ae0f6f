// Where the daemon of this network namespace listens.

import { statSync } from 'node:fs';
import { namespaceId } from './pin.ts';

/** The machine's first network namespace is that of process 1; ours where nobody may look. */
function isFirstNamespace(): boolean {
  try {
    return statSync('/proc/1/ns/net').ino === namespaceId();
  } catch {
    return true;
  }
}

/** A namespace of its own has a socket of its own, beside the others: /run is shared. */
export const daemonSocket = (): string =>
  isFirstNamespace() ? '/run/lvsj/lvsj.sock' : `/run/lvsj/netns-${namespaceId()}.sock`;
