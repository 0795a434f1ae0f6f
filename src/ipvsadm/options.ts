// The words of the command line: every switch, and which options each command needs and allows.
// Only tables; words.ts and parse.ts give them their meaning.

import type { Forwarder } from './forwarder.ts';

/**
 * Options as messages call them, in the order in which ipvsadm checks them: the first offence is
 * the one reported.
 */
export const optionNames = [
  'numeric',
  'connection',
  'service-address',
  'scheduler',
  'persistent',
  'netmask',
  'real-server',
  'forwarding-method',
  'weight',
  'u-threshold',
  'l-threshold',
  'mcast-interface',
  'timeout',
  'daemon',
  'stats',
  'rate',
  'thresholds',
  'persistent-conn',
  'nosort',
  'syncid',
  'exact',
  'ops',
  'pe',
  'sched-flags',
  'mcast-group',
  'mcast-port',
  'mcast-ttl',
  'sync-maxlen',
  'tun-info',
  'tun-type',
  'tun-port',
  'tun-nocsum',
  'tun-csum',
  'tun-remcsum',
] as const;

export type OptionName = (typeof optionNames)[number];

interface CommandRule {
  needs: readonly OptionName[];
  allows: readonly OptionName[];
}

const service: readonly OptionName[] = ['service-address'];
const server: readonly OptionName[] = ['service-address', 'real-server'];
const nothing: readonly OptionName[] = [];

const serviceOptions: readonly OptionName[] = [
  'scheduler',
  'persistent',
  'netmask',
  'ops',
  'pe',
  'sched-flags',
];

const serverOptions: readonly OptionName[] = [
  'forwarding-method',
  'weight',
  'u-threshold',
  'l-threshold',
  'tun-type',
  'tun-port',
  'tun-nocsum',
  'tun-csum',
  'tun-remcsum',
];

const listOptions: readonly OptionName[] = [
  'numeric',
  'connection',
  'service-address',
  'timeout',
  'daemon',
  'stats',
  'rate',
  'thresholds',
  'persistent-conn',
  'nosort',
  'exact',
  'tun-info',
];

/** Commands as messages call them. `help`, `version` and the daemon's never look at options. */
export const commandRules = {
  'add-service': { needs: service, allows: serviceOptions },
  'edit-service': { needs: service, allows: serviceOptions },
  'delete-service': { needs: service, allows: nothing },
  flush: { needs: nothing, allows: nothing },
  list: { needs: nothing, allows: listOptions },
  'add-server': { needs: server, allows: serverOptions },
  'edit-server': { needs: server, allows: serverOptions },
  'delete-server': { needs: server, allows: nothing },
  set: { needs: nothing, allows: nothing },
  restore: { needs: nothing, allows: nothing },
  save: { needs: nothing, allows: ['numeric'] },
  zero: { needs: nothing, allows: service },
  'start-daemon': { needs: nothing, allows: nothing },
  'stop-daemon': { needs: nothing, allows: nothing },
  help: { needs: nothing, allows: nothing },
  version: { needs: nothing, allows: nothing },
} as const satisfies Record<string, CommandRule>;

export type CommandName = keyof typeof commandRules;

/** Widened: callers ask for any option name. */
export const ruleOf = (name: CommandName): CommandRule => commandRules[name];

/**
 * List options that choose what is listed: at most one of them. In the order in which a conflict
 * names them.
 */
export const listKinds: readonly OptionName[] = [
  'connection',
  'service-address',
  'timeout',
  'daemon',
];

/** One spelling on the command line. */
export interface Switch {
  long?: string;
  short?: string;
  /** `optional`: the next word is the value unless it begins with a dash. */
  value?: 'required' | 'optional';
  command?: CommandName;
  /** None for `--sort` and `-6`, which may be repeated and go with every command. */
  option?: OptionName;
  /** Grammar of ipvsadm that a director for outgoing traffic cannot serve: what to do instead. */
  refused?: string;
  /** Served all the same where the forwarder has this name. */
  forwarder?: Forwarder;
}

/** What cannot be served, and what to do instead: the end of a sentence that begins with the switch. */
export const useFwmark =
  'a director for outgoing traffic has no virtual address: ' +
  'mark the traffic with iptables or nft and use -f FWMARK';
export const useReinject =
  'a gateway is reached by reinjecting the packet into the routing: use -j';
export const noDaemon =
  'a director for outgoing traffic has no sync daemon: ' +
  'use conntrackd, every conntrack mark holds its gateway';

export const switches: readonly Switch[] = [
  { long: 'add-service', short: 'A', command: 'add-service' },
  { long: 'edit-service', short: 'E', command: 'edit-service' },
  { long: 'delete-service', short: 'D', command: 'delete-service' },
  { long: 'clear', short: 'C', command: 'flush' },
  { long: 'list', short: 'L', command: 'list' },
  { short: 'l', command: 'list' },
  { long: 'add-server', short: 'a', command: 'add-server' },
  { long: 'edit-server', short: 'e', command: 'edit-server' },
  { long: 'delete-server', short: 'd', command: 'delete-server' },
  { long: 'set', command: 'set' },
  { long: 'restore', short: 'R', command: 'restore' },
  { long: 'save', short: 'S', command: 'save' },
  { long: 'zero', short: 'Z', command: 'zero' },
  { long: 'start-daemon', value: 'required', command: 'start-daemon' },
  { long: 'stop-daemon', value: 'required', command: 'stop-daemon' },
  { long: 'help', short: 'h', command: 'help' },
  { long: 'version', short: 'v', command: 'version' },

  { long: 'fwmark-service', short: 'f', value: 'required', option: 'service-address' },
  {
    long: 'tcp-service',
    short: 't',
    value: 'required',
    option: 'service-address',
    refused: useFwmark,
  },
  {
    long: 'udp-service',
    short: 'u',
    value: 'required',
    option: 'service-address',
    refused: useFwmark,
  },
  { long: 'sctp-service', value: 'required', option: 'service-address', refused: useFwmark },
  { long: 'ipv6', short: '6' },
  { long: 'scheduler', short: 's', value: 'required', option: 'scheduler' },
  { long: 'sched-flags', short: 'b', value: 'required', option: 'sched-flags' },
  { long: 'persistent', short: 'p', value: 'optional', option: 'persistent' },
  { long: 'netmask', short: 'M', value: 'required', option: 'netmask' },
  { long: 'ops', short: 'o', option: 'ops' },
  { long: 'pe', value: 'required', option: 'pe' },

  { long: 'real-server', short: 'r', value: 'required', option: 'real-server' },
  { long: 'reinject', short: 'j', option: 'forwarding-method' },
  {
    long: 'gatewaying',
    short: 'g',
    option: 'forwarding-method',
    refused: useReinject,
    forwarder: 'Route',
  },
  { long: 'ipip', short: 'i', option: 'forwarding-method', refused: useReinject },
  { long: 'masquerading', short: 'm', option: 'forwarding-method', refused: useReinject },
  { long: 'tun-type', value: 'required', option: 'tun-type', refused: useReinject },
  { long: 'tun-port', value: 'required', option: 'tun-port', refused: useReinject },
  { long: 'tun-nocsum', option: 'tun-nocsum', refused: useReinject },
  { long: 'tun-csum', option: 'tun-csum', refused: useReinject },
  { long: 'tun-remcsum', option: 'tun-remcsum', refused: useReinject },
  { long: 'weight', short: 'w', value: 'required', option: 'weight' },
  { long: 'u-threshold', short: 'x', value: 'required', option: 'u-threshold' },
  { long: 'l-threshold', short: 'y', value: 'required', option: 'l-threshold' },

  { long: 'numeric', short: 'n', option: 'numeric' },
  { long: 'connection', short: 'c', option: 'connection' },
  { long: 'timeout', option: 'timeout' },
  { long: 'daemon', option: 'daemon' },
  { long: 'stats', option: 'stats' },
  { long: 'rate', option: 'rate' },
  { long: 'thresholds', option: 'thresholds' },
  { long: 'persistent-conn', option: 'persistent-conn' },
  { long: 'tun-info', option: 'tun-info' },
  { long: 'exact', short: 'X', option: 'exact' },
  { long: 'nosort', option: 'nosort' },
  { long: 'sort' },

  { long: 'syncid', value: 'required', option: 'syncid' },
  { long: 'sync-maxlen', value: 'required', option: 'sync-maxlen' },
  { long: 'mcast-interface', value: 'required', option: 'mcast-interface' },
  { long: 'mcast-group', value: 'required', option: 'mcast-group' },
  { long: 'mcast-port', value: 'required', option: 'mcast-port' },
  { long: 'mcast-ttl', value: 'required', option: 'mcast-ttl' },
];
