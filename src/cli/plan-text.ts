// What a plan changes, for people.

import type { PlannedChange, PlanState } from '../model/state.ts';

const signs: Record<PlannedChange['verb'], string> = {
  add: '+',
  change: '~',
  remove: '-',
  repair: '!',
};

const formatChange = ({ verb, what, detail }: PlannedChange): string =>
  `${signs[verb]} ${what}${detail === '' ? '' : `: ${detail}`}`;

function formatConnections({ total, move, cut }: PlanState['connections']): string {
  if (total === 0) return 'no connections are there';
  if (move + cut === 0) return `none of ${total} connections moves or is cut`;
  const parts = [
    ...(move > 0 ? [`${move} follow their gateway to another next hop`] : []),
    ...(cut > 0 ? [`${cut} lose their gateway`] : []),
  ];
  return `of ${total} connections ${parts.join(', ')}`;
}

export function formatPlan({ changes, connections }: PlanState): string {
  if (changes.length === 0) return 'nothing changes\n';
  return `${[...changes.map(formatChange), '', formatConnections(connections)].join('\n')}\n`;
}
