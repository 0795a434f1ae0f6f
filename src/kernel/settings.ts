// Reads and writes the director's settings; src/model/setting.ts lists them.

import { type SettingRule, settingRules } from '../model/setting.ts';
import type { Director } from './director.ts';

/** What `lvsj setting --json` prints; docs/settings.md describes it. */
export interface Setting {
  name: string;
  value: number;
  default: number;
  meaning: string;
}

export const readSettings = ({ settings }: Director): Setting[] =>
  settingRules.map(({ name, field, default: usual, meaning }) => ({
    name,
    value: settings[field],
    default: usual,
    meaning,
  }));

/** The next packet meets it. The caller holds the lock. */
export function writeSetting({ maps, settings }: Director, { field }: SettingRule, value: number) {
  maps.settings.set(0, { ...settings, [field]: value });
}
