// The director's settings that IPVS has as sysctls, under the same names. docs/settings.md says more
// of each.

import type * as abi from './abi.gen.ts';
import { type Director, defaultSettings } from './director.ts';

type Field = keyof typeof defaultSettings & keyof abi.Settings;

export interface SettingRule {
  name: string;
  field: Field;
  /** It is a whole number from 0 on. */
  largest: number;
  /** One line. */
  meaning: string;
}

export const settingRules: readonly SettingRule[] = [
  {
    name: 'conn_reuse_mode',
    field: 'connReuseMode',
    largest: 3,
    meaning: 'SYN on a finished connection: 0 stays, 1 is scheduled anew, 2 and 3 in FIN_WAIT too',
  },
  {
    name: 'expire_nodest_conn',
    field: 'expireNodestConn',
    largest: 1,
    meaning: "1: a deleted gateway's connections are forgotten, SYNs leave a drained one",
  },
  {
    name: 'expire_quiescent_template',
    field: 'expireQuiescentTemplate',
    largest: 1,
    meaning: '1: a persistent client of a drained gateway gets another one',
  },
  {
    name: 'sloppy_tcp',
    field: 'sloppyTcp',
    largest: 1,
    meaning: '1: TCP in mid-stream begins a connection, as after a take-over',
  },
  {
    name: 'sloppy_sctp',
    field: 'sloppySctp',
    largest: 1,
    meaning: '1: SCTP in mid-stream begins a connection',
  },
];

/** What `lvsj setting --json` prints; docs/settings.md describes it. */
export interface Setting {
  name: string;
  value: number;
  default: number;
  meaning: string;
}

export const readSettings = ({ settings }: Director): Setting[] =>
  settingRules.map(({ name, field, meaning }) => ({
    name,
    value: settings[field],
    default: defaultSettings[field],
    meaning,
  }));

/** The next packet meets it. The caller holds the lock. */
export function writeSetting({ maps, settings }: Director, { field }: SettingRule, value: number) {
  maps.settings.set(0, { ...settings, [field]: value });
}
