// The director of this network namespace for a command that needs one.

import { Director, requireRoot } from '../kernel/director.ts';
import { exit, UserError } from '../util/error.ts';

/** For a command that only looks: `using director = directorToRead()` gives its descriptors back. */
export function directorToRead(): Director {
  requireRoot();
  const director = Director.find();
  if (!director)
    throw new UserError(
      'not running: lvsj apply, or lvsj ipvsadm -A …, starts a director',
      exit.list,
    );
  return director;
}

/** For a command that changes something; it holds the lock. tried: its words. */
export function directorToWrite(tried: string): Director {
  const director = Director.find();
  if (director) return director;
  throw new UserError(
    `${tried}: no director runs in this network namespace; lvsj start, or lvsj ipvsadm -A …, starts one`,
  );
}
