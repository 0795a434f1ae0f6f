// Who is known for which marks: by the names of their chains, else by their bits.

import type { MarkUse } from './rule.ts';

interface Owner {
  name: string;
  /** In the words of a rule: its chains, tables, targets. */
  words: RegExp;
  /** Value and mask as their documentation has them; without a value any of those bits. */
  marks: { value?: number; mask: number }[];
}

const full = 0xffffffff;

const owners: Owner[] = [
  {
    name: 'Tailscale',
    words: /\bts-(?:input|forward|postrouting|prerouting|output)\b/,
    marks: [
      { value: 0x40000, mask: 0xff0000 },
      { value: 0x80000, mask: 0xff0000 },
    ],
  },
  {
    name: 'Kubernetes',
    words: /\bKUBE-/,
    marks: [
      { value: 0x4000, mask: 0x4000 },
      { value: 0x8000, mask: 0x8000 },
    ],
  },
  { name: 'Cilium', words: /\bCILIUM_/, marks: [{ mask: 0x0f00 }] },
  { name: 'Calico', words: /\bcali-/, marks: [{ mask: 0xffff0000 }] },
  { name: 'mwan3', words: /\bmwan3_/, marks: [{ mask: 0x3f00 }] },
  { name: 'pbr', words: /\bpbr_/, marks: [{ mask: 0x00ff0000 }] },
  { name: 'the AWS VPC CNI', words: /\bAWS-/, marks: [{ value: 0x80, mask: 0x80 }] },
  // The default port of WireGuard; a second link of wg-quick takes the next number.
  { name: 'wg-quick', words: /\bwg-quick\b/, marks: [{ value: 0xca6c, mask: full }] },
];

const hasMark = ({ marks }: Owner, use: MarkUse): boolean =>
  marks.some(
    ({ value, mask }) => mask === use.mask && (value === undefined || value === use.value),
  );

/** `words`: the rule that uses this mark. '' if it is nobody's that we know. */
export function ownerOf(use: MarkUse, words: string): string {
  const byWords = owners.find((owner) => owner.words.test(words));
  return (byWords ?? owners.find((owner) => hasMark(owner, use)))?.name ?? '';
}
