// Part 1: the recipe, as the README gives it.

import { parseListing } from './demo-parse.ts';
import type { Stage } from './demo-stage.ts';
import { type NamespaceState, namespaceState } from './namespace-state.ts';

const mark =
  'iptables -t mangle -A PREROUTING -s 10.0.0.0/24 -m state --state NEW -j MARK --set-mark 1';

const rest = [
  'lvsj ipvsadm -A -f 1 -s wlc -p 300',
  'lvsj ipvsadm -a -f 1 -r 192.0.2.1 -j -w 3',
  'lvsj ipvsadm -a -f 1 -r 203.0.113.1 -j -w 1',
  'iptables -t nat -A POSTROUTING -o eth1 -m mark --mark 1/0xffffff -j SNAT --to-source 192.0.2.2',
  'iptables -t nat -A POSTROUTING -o eth2 -m mark --mark 1/0xffffff -j SNAT --to-source 203.0.113.2',
];

/** Returns the state of the director's namespace before the first command of ours. */
export async function showRecipe(stage: Stage): Promise<NamespaceState> {
  stage.part(1, 'The recipe');
  await stage.on('director', mark);
  const before = namespaceState(stage.lab.name, 'director');
  for (const command of rest) await stage.on('director', command);
  const [service, ...others] = parseListing(await stage.on('director', 'lvsj ipvsadm -Ln'));
  stage.check('services', others.length + 1, 1);
  stage.check('its scheduler and flags', service?.words.join(' '), 'wlc persistent 300');
  const gateways = service?.gateways.map(({ address, words }) => [address, ...words].join(' '));
  stage.check('its gateways', gateways, ['192.0.2.1 ReInj 3 0 0', '203.0.113.1 ReInj 1 0 0']);
  return before;
}
