// A thread of its own: to read and to judge ten thousand rules takes half a second, in which the daemon would
// not watch its gateways. Its data are our links, its only message is what it found.

import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { findNeedyRules } from '../firewall/needy.ts';
import { readForeignFirewall } from '../kernel/firewall.ts';
import { usualPriority } from '../util/priority.ts';

// Of this thread, and of the programs that it starts.
setPriority(usualPriority);
parentPort?.postMessage(findNeedyRules(readForeignFirewall(), workerData as string[]));
