// Where the daemon of this network namespace listens.

import { statSync } from 'node:fs';

const folder = '/run/lvsj';

/** By a file that each network namespace has of its own. Unlike /proc/1/ns/net everybody may look at it. */
function isFirstNamespace(): boolean {
  try {
    return statSync('/proc/1/net/dev').ino === statSync('/proc/self/net/dev').ino;
  } catch {
    // hidepid: process 1 is not for us to see.
    return true;
  }
}

/** The machine's first network namespace is that of process 1: in a container the container's. */
export const socketPath = (): string =>
  isFirstNamespace()
    ? `${folder}/lvsj.sock`
    : `${folder}/netns-${statSync('/proc/self/ns/net').ino}.sock`;
