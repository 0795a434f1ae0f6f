// The director's settings that IPVS has as sysctls, under the same names. docs/settings.md says more
// of each.

/** Its field in struct settings of bpf/abi.h. */
export type SettingField =
  | 'connReuseMode'
  | 'expireNodestConn'
  | 'expireQuiescentTemplate'
  | 'sloppyTcp'
  | 'sloppySctp';

export interface SettingRule {
  name: string;
  field: SettingField;
  /** IPVS has 1 0 0 0 0: clients of a drained gateway are not sent there any more. */
  default: number;
  /** It is a whole number from 0 on. */
  largest: number;
  /** One line. */
  meaning: string;
}

export const settingRules: readonly SettingRule[] = [
  {
    name: 'conn_reuse_mode',
    field: 'connReuseMode',
    default: 1,
    largest: 3,
    meaning: 'SYN on a finished connection: 0 stays, 1 is scheduled anew, 2 and 3 in FIN_WAIT too',
  },
  {
    name: 'expire_nodest_conn',
    field: 'expireNodestConn',
    default: 0,
    largest: 1,
    meaning: "1: a deleted gateway's connections are forgotten, SYNs leave a drained one",
  },
  {
    name: 'expire_quiescent_template',
    field: 'expireQuiescentTemplate',
    default: 1,
    largest: 1,
    meaning: '1: a persistent client of a drained gateway gets another one',
  },
  {
    name: 'sloppy_tcp',
    field: 'sloppyTcp',
    default: 0,
    largest: 1,
    meaning: '1: TCP in mid-stream begins a connection, as after a take-over',
  },
  {
    name: 'sloppy_sctp',
    field: 'sloppySctp',
    default: 0,
    largest: 1,
    meaning: '1: SCTP in mid-stream begins a connection',
  },
];

/** Their defaults, by field. */
export const defaultSettings = Object.fromEntries(
  settingRules.map((rule) => [rule.field, rule.default]),
) as Record<SettingField, number>;
