// Part 7: the same with one file and none of the admin's rules.

import type { Counts } from './client-connect.ts';
import { connectCommand } from './demo-shares.ts';
import type { Stage } from './demo-stage.ts';
import { readCounter } from './demo-watch.ts';
import { directoryOf } from './place.ts';

const config = [
  'gateways:',
  '  fiber: { link: eth1, via: { ipv4: 192.0.2.1, ipv6: 2001:db8:1::1 } }',
  '  cable: { link: eth2, via: { ipv4: 203.0.113.1, ipv6: 2001:db8:2::1 } }',
  'services:',
  '  web: { fwmark: 1, scheduler: wrr, gateways: { fiber: 3, cable: 1 } }',
  'rules:',
  '  - { name: lan, from: [10.0.0.0/24, 2001:db8:10::/64], service: web }',
];

export async function showFile(stage: Stage): Promise<void> {
  stage.part(7, 'One file instead: plan, apply, explain');
  for (const tables of ['iptables', 'ip6tables'])
    await stage.quietly('director', `${tables} -t mangle -F; ${tables} -t nat -F`);
  const foreign = await readCounter(stage, 'foreign');
  const file = `${directoryOf(stage.lab.name)}/lvsj.yaml`;
  await stage.on('director', [`cat > ${file} <<'.'`, ...config, '.'].join('\n'));
  await stage.on('director', `lvsj plan ${file}`);
  await stage.quietly('director', `lvsj apply ${file}`);
  await showConnections(stage, [30, 10]);
  const again = await stage.on('director', `lvsj apply ${file}`);
  stage.check('what a second apply changes', again.trim(), 'nothing changes');
  await stage.on('director', `sed -i 's/cable: 1 /cable: 3 /' ${file} && lvsj apply ${file}`);
  await showConnections(stage, [20, 20]);
  const why = await stage.on('director', 'lvsj explain 10.0.0.11 198.51.100.10');
  stage.judge(
    'the rule that explain names',
    /^rule .*$/m.exec(why)?.[0] ?? 'none',
    /^rule +lan /m.test(why),
  );
  await stage.on('director', 'lvsj stop');
  stage.check('packets by a wrong link', await readCounter(stage, 'foreign'), foreign);
}

/** want: by gateway, of each family. */
async function showConnections(stage: Stage, want: [number, number]): Promise<void> {
  const { clients, isps } = stage.lab;
  for (const family of [4, 6] as const) {
    const name = family === 4 ? 'ipv4' : 'ipv6';
    const command = connectCommand(family, clients[name].slice(0, 4), '--count 40');
    const seen = JSON.parse(await stage.quietly('lan', command)) as Counts;
    const counts = isps.map((isp) => seen[isp[name].address] ?? 0);
    stage.check(`40 connections by ${family === 4 ? 'IPv4' : 'IPv6'}, by gateway`, counts, want);
  }
}
