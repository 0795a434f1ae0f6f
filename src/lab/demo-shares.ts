// Parts 2 and 3: how connections are shared out, and how a client stays on its gateway.

import type { Family } from '../model/table.ts';
import type { Counts } from './client-connect.ts';
import { type Figures, gatewayColumn, parseListing } from './demo-parse.ts';
import type { Stage } from './demo-stage.ts';
import { internet } from './topology.ts';

/** Which address the internet host saw of each client: the client's gateway. */
export type Stayed = Map<string, string>;

export const urlOf = (family: Family): string =>
  family === 4 ? `http://${internet.ipv4[0]}/` : `http://[${internet.ipv6[0]}]/`;

/** As the client program is called to make connections from these addresses. */
export const connectCommand = (family: Family, from: string[], options: string): string =>
  `node src/lab/client.ts connect --url '${urlOf(family)}' ` +
  `${from.map((address) => `--from ${address}`).join(' ')} ${options} --timeout 20`;

export async function showShares(stage: Stage): Promise<void> {
  stage.part(2, '400 connections, shared 3:1, by IPv4 and by IPv6');
  await stage.on('director', 'lvsj ipvsadm -E -f 1 -s wrr');
  await showShare(stage, 4);
  stage.say('');
  for (const command of recipe6) await stage.on('director', command);
  await showShare(stage, 6);
}

/** The recipe of part 1 by IPv6. */
const recipe6 = [
  'ip6tables -t mangle -A PREROUTING -s 2001:db8:10::/64 -m state --state NEW -j MARK --set-mark 1',
  'lvsj ipvsadm -A -f 1 -6 -s wrr',
  'lvsj ipvsadm -a -f 1 -6 -r 2001:db8:1::1 -j -w 3',
  'lvsj ipvsadm -a -f 1 -6 -r 2001:db8:2::1 -j -w 1',
  'ip6tables -t nat -A POSTROUTING -o eth1 -m mark --mark 1/0xffffff -j SNAT --to-source 2001:db8:1::2',
  'ip6tables -t nat -A POSTROUTING -o eth2 -m mark --mark 1/0xffffff -j SNAT --to-source 2001:db8:2::2',
];

async function showShare(stage: Stage, family: Family): Promise<void> {
  const { clients, isps } = stage.lab;
  const [first, second] = isps.map((isp) => (family === 4 ? isp.ipv4 : isp.ipv6));
  const from = (family === 4 ? clients.ipv4 : clients.ipv6).slice(0, 4);
  const command = connectCommand(family, from, '--count 400');
  const seen = JSON.parse(await stage.on('lan', command)) as Counts;
  const want = { [first!.address]: 300, [second!.address]: 100 };
  stage.check('connections by the address that the server saw', sorted(seen), want);
  const listing = parseListing(await stage.on('director', 'lvsj ipvsadm -Ln --stats'));
  const service = listing.find((listed) => listed.family === family);
  const counted = { [first!.gateway]: 300, [second!.gateway]: 100 };
  stage.check('connections by gateway, in --stats', gatewayColumn(service, 0), counted);
}

/** Equal figures print equally, whoever came first. */
const sorted = (figures: Figures): Figures =>
  Object.fromEntries(Object.entries(figures).sort(([a], [b]) => a.localeCompare(b)));

export async function showPersistence(stage: Stage): Promise<Stayed> {
  stage.part(3, 'Persistence: 50 connections of each of 8 clients');
  await stage.on('director', 'lvsj ipvsadm -E -f 1 -s wlc -p 300');
  // Others than those of part 2, whose connections are still in the table.
  const from = stage.lab.clients.ipv4.slice(10, 18);
  const command = connectCommand(4, from, `--count ${from.length * 50} --by-client`);
  const seen = JSON.parse(await stage.on('lan', command)) as Record<string, Counts>;
  const stayed: Stayed = new Map();
  for (const [client, counts] of Object.entries(seen)) {
    const [address, ...others] = Object.keys(counts);
    if (address && others.length === 0 && counts[address] === 50) stayed.set(client, address);
  }
  stage.check('clients with all 50 connections by one gateway', stayed.size, from.length);
  const used = [...new Set(stayed.values())].sort();
  const ours = stage.lab.isps.map(({ ipv4 }) => ipv4.address);
  stage.check('addresses in use', used, ours);
  const listing = parseListing(await stage.on('director', 'lvsj ipvsadm -Ln --persistent-conn'));
  const kept = gatewayColumn(
    listing.find(({ family }) => family === 4),
    1,
  );
  const want = stage.lab.isps.map(({ ipv4 }) => [
    ipv4.gateway,
    [...stayed.values()].filter((address) => address === ipv4.address).length,
  ]);
  stage.check('clients by gateway, in the director', kept, Object.fromEntries(want));
  return stayed;
}

/** One of the clients that stay with this address; any client if there is none, and figures will tell. */
export const clientOf = (stage: Stage, stayed: Stayed, address: string): string =>
  [...stayed].find(([, used]) => used === address)?.[0] ?? stage.lab.clients.ipv4[10]!;
