// The fast path's switch, of the file and of a service.

import { leaf } from './shape.ts';

/** In the words of switches; YAML's own too. */
export const fastpath = leaf({
  noun: 'on or off',
  json: { enum: ['on', 'off', true, false] },
  read: (word) => {
    if (/^(on|true)$/i.test(word)) return 'on' as const;
    return /^(off|false)$/i.test(word) ? ('off' as const) : undefined;
  },
});
