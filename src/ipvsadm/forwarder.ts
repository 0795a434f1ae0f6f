// The forwarder's names: ours, or IPVS's own for programs that know no other (LVSJ_FORWARD).

import { exit, UserError } from '../util/error.ts';

/**
 * As listings call it, and the switch that -S writes for it. A name has at most 7 letters, or the
 * columns shift, and is one word, for the parsers of ldirectord and others.
 */
export const forwarders = { ReInj: '-j', Route: '-g' } as const;

export type Forwarder = keyof typeof forwarders;

/** Reads LVSJ_FORWARD, which may be unset or empty. */
export function parseForwarder(text: string | undefined): Forwarder {
  const name = text || 'ReInj';
  if (Object.hasOwn(forwarders, name)) return name as Forwarder;
  const names = Object.keys(forwarders).join(' or ');
  throw new UserError(`LVSJ_FORWARD is "${name}": it may be ${names}`, exit.usage);
}
