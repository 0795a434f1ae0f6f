// A lab whose director has a configuration file. Needs root.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { directoryOf } from '../../src/lab/place.ts';
import type { PlanState } from '../../src/model/state.ts';
import type { Family } from '../../src/model/table.ts';
import { DirectorLab } from './director-lab.ts';

/** Two static gateways with masquerade for both families, `fiber` (isp1) and `lte` (isp2). */
export const gateways = `
gateways:
  fiber: { link: eth1, via: { ipv4: 192.0.2.1, ipv6: 2001:db8:1::1 } }
  lte: { link: eth2, via: { ipv4: 203.0.113.1, ipv6: 2001:db8:2::1 } }`;

/** All that the LAN begins, spread evenly and so that a test can count. */
export const everything = `
services:
  all: { fwmark: 1, scheduler: rr, gateways: { fiber: 1, lte: 1 } }
rules:
  - { service: all }`;

/** `FASTPATH=on make test-netns` runs all that says nothing of it on the fast path. */
const usualFastpath = process.env.FASTPATH ? `fastpath: ${process.env.FASTPATH}\n` : '';
const hasFastpath = (text: string): boolean => /^fastpath:/m.test(text);

export class ConfigLab extends DirectorLab {
  /** Of the lab: goes with it. */
  get folder(): string {
    return directoryOf(this.name);
  }

  get file(): string {
    return `${this.folder}/lvsj.yaml`;
  }

  /** The director's own address on the LAN. */
  router(family: Family): string {
    return family === 4 ? '10.0.0.1' : '2001:db8:10::1';
  }

  write(text: string): void {
    writeFileSync(this.file, `${hasFastpath(text) ? '' : usualFastpath}${text}\n`);
  }

  /** Writes the file and applies it; what that changed. */
  apply(text: string): PlanState {
    this.write(text);
    const { status, stdout, stderr } = this.tryLvsj(`apply ${this.file} --json`);
    // Warnings are on stderr, too.
    assert.equal(status, 0, stderr);
    return JSON.parse(stdout) as PlanState;
  }

  /** Packets that took the fast path so far. */
  taken(): [up: number, down: number] {
    const { verdicts } = JSON.parse(this.lvsj('status --json')) as {
      verdicts: Record<string, Record<string, number>>;
    };
    return [verdicts.ingress?.fast ?? 0, verdicts['uplink-in']?.fast ?? 0];
  }

  /** What applying it again would change. */
  plan(): PlanState {
    const { status, stdout, stderr } = this.tryLvsj(`plan ${this.file} --json`);
    assert.equal(status, 0, stderr);
    return JSON.parse(stdout) as PlanState;
  }
}
