// Groups of the system by name.

import { UserError } from './error.ts';
import { tryRun } from './run.ts';

/** Asks the system's name service, which knows more than /etc/group. */
export function groupId(name: string): number {
  // A number would be found too, and a name that begins with a dash is an option.
  const { stdout } = tryRun(['getent', 'group', '--', name]);
  const [found, , id] = stdout.split(':');
  if (found !== name || id === undefined)
    throw new UserError(`there is no group "${name}"; groupadd --system ${name} makes it`);
  return Number(id);
}
