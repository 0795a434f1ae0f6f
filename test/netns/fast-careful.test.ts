// A rule of somebody else must see each packet: services that do not insist leave the fast path while it is
// there, those that do insist do not notice. Needs root.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { askDaemon } from '../../src/api/ask-daemon.ts';
import type { Finding } from '../../src/doctor/finding.ts';
import type { StatusState } from '../../src/model/state.ts';
import { waitUntil } from '../../src/util/wait-until.ts';
import { ConfigLab, gateways } from './config-lab.ts';
import { Daemon } from './daemon.ts';
import { startSteady } from './steady.ts';

const lab = new ConfigLab('careful');
const daemon = new Daemon(lab);

const config = `
fastpath: on
${gateways}
services:
  web: { fwmark: 1, scheduler: rr, gateways: { fiber: 1, lte: 1 } }
  echo: { fwmark: 2, scheduler: rr, gateways: { fiber: 1, lte: 1 }, fastpath: on }
rules:
  - { proto: tcp, dport: 80, service: web }
  - { service: echo }`;

/** What the admin's firewall does beside: established traffic has its own chain. */
const firewall = `
table inet admin {
  chain forward {
    type filter hook forward priority filter; policy accept;
    ct state new limit rate 1000/second accept
    jump hosts
  }
  chain hosts {
  }
}`;

async function status(): Promise<StatusState | undefined> {
  const socket = `/run/lvsj/netns-${lab.inode('director')}.sock`;
  const answer = await askDaemon<StatusState>('GET', '/v1/status', { socket });
  return answer?.ok ? answer.value : undefined;
}

/** Packets of the LAN's connections: on the fast path, and on the normal one. */
async function packets(): Promise<{ fast: number; normal: number }> {
  const { fast = 0, known = 0 } = (await status())?.verdicts.ingress ?? {};
  return { fast, normal: known };
}

async function growsBy(path: 'fast' | 'normal', count: number): Promise<void> {
  const begun = (await packets())[path];
  const grew = async () => (await packets())[path] >= begun + count;
  await waitUntil(`${count} packets of the ${path} path`, grew, 15_000);
}

/** Waits until the rules of others are read, and these are among them. */
function judged(needy: string[]): Promise<void> {
  const isSo = async (): Promise<boolean> => {
    const { fastpath, daemon } = (await status()) ?? {};
    const found = daemon?.needyRules.map(({ table, chain, why }) => `${table} ${chain} ${why}`);
    return fastpath === (needy.length > 0 ? 'careful' : 'on') && isDeepStrictEqual(found, needy);
  };
  // Of programs that a busy machine starts slowly.
  return waitUntil(`${needy.length} rules that need each packet`, isSo, 15_000);
}

const quotaIsFound = () => judged(['inet admin hosts quota']);

const quota = 'nft add rule inet admin hosts quota over 10000 mbytes drop';
const noQuota = 'nft flush chain inet admin hosts';

before(async () => {
  await lab.up();
  lab.run('director', ['nft', '-f', '-'], firewall);
  await daemon.start(config);
  await judged([]);
});
after(async () => {
  await daemon.end();
  await lab.down();
});

test('a download leaves the fast path while a quota counts, and comes back', async () => {
  const download = lab.download(4, 100_000_000, 3_000_000);
  try {
    await download.started;
    await growsBy('fast', 50);
    lab.director(quota);
    await quotaIsFound();
    const { fast } = await packets();
    await growsBy('normal', 50);
    assert.equal((await packets()).fast, fast);
    lab.director(noQuota);
    await judged([]);
    await growsBy('fast', 50);
  } finally {
    download.kill();
    await download.result.catch(() => undefined);
  }
  const told = daemon.log().filter(({ msg }) => /must see each packet/.test(msg));
  assert.deepEqual(
    told.map(({ level }) => level),
    ['warn', 'info'],
  );
});

test('a service that insists stays', async () => {
  lab.director(quota);
  await quotaIsFound();
  const steady = await startSteady(lab, 4, { count: 4, interval: 0.02 });
  try {
    await growsBy('fast', 50);
    assert.equal((await status())?.fastpath, 'careful');
    const { broken } = await steady.end();
    assert.equal(broken, 0);
  } finally {
    steady.kill();
  }
});

test('lvsj doctor tells both, counters, and a filter behind ours', () => {
  lab.director(`${quota}
    nft add rule inet admin forward counter
    sysctl -qw net.netfilter.nf_conntrack_acct=1
    tc filter add dev eth1 ingress pref 40000 protocol all bpf bytecode '1,6 0 0 4294967295'
    tc filter add dev eth1 ingress pref 10 protocol all bpf bytecode '1,6 0 0 4294967295'`);
  const findings = JSON.parse(lab.tryLvsj('doctor --json').stdout) as Finding[];
  const found = findings.filter(({ check }) => check.startsWith('fast-path'));
  assert.deepEqual(
    found
      .map(
        ({ severity, check, what }) =>
          `${severity} ${check} ${what.match(/service \w+|eth\d.*(?=: )|conntrack|handle/)?.[0]}`,
      )
      .sort(),
    [
      'note fast-path-counters conntrack',
      'note fast-path-counters handle',
      'note fast-path-rules service web',
      "warning fast-path-ingress eth1 with preference 40000 (bpf) comes after the director's",
      'warning fast-path-rules service echo',
    ],
  );
});
