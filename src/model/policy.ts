// What a service does when gateways fail, in the order of bpf/abi.h's enums on_down, failback, last_resort and fastpath.

import type { Fastpath, Service } from './table.ts';

export const onDowns: readonly Service['onDown'][] = ['keep', 'reset', 'reschedule'];
export const failbacks: readonly Service['failback'][] = ['stay', 'new'];
export const lastResorts: readonly Service['lastResort'][] = ['main', 'unreachable', 'drop'];
export const fastpaths: readonly Fastpath[] = ['off', 'careful', 'on'];
