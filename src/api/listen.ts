// Puts the API on a unix socket that nobody but root (and one group) can ever open.

import { once } from 'node:events';
import { chmodSync, chownSync, lstatSync, mkdirSync, unlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { UserError } from '../util/error.ts';
import { groupId } from '../util/group.ts';

export interface ListenOptions {
  path: string;
  /** Name of the group that may use it beside root, '' = none. */
  group: string;
}

/** app.close() ends it and takes the socket's file away. */
export async function listenApi(app: FastifyInstance, options: ListenOptions): Promise<void> {
  const { path, group } = options;
  // Before anything is made: a wrong name shall leave nothing behind.
  const gid = group === '' ? undefined : groupId(group);
  await app.ready();
  // Whoever may connect can see it from its name on; what is in there has modes of its own.
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
  await removeStale(path);
  await bind(app, path);
  if (gid === undefined) return;
  // The group first: for a moment the mode of the group would be another group's.
  chownSync(path, -1, gid);
  chmodSync(path, 0o660);
}

/** The file has its mode from the moment it is there: Node binds a unix socket before listen() returns. */
async function bind(app: FastifyInstance, path: string): Promise<void> {
  const umask = process.umask(0o177);
  const listening = once(app.server, 'listening');
  try {
    app.server.listen(path);
  } finally {
    process.umask(umask);
  }
  await listening.catch((error: Error) => {
    throw new UserError(`listen on ${path}: ${error.message}`);
  });
}

/** A file of a daemon that was killed; one that answers, or that is no socket, stays. */
async function removeStale(path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (!found) return;
  if (!found.isSocket())
    throw new UserError(`listen on ${path}: a file that is no socket is there; take it away`);
  if (await somebodyListens(path))
    throw new UserError(
      `listen on ${path}: another lvsj daemon answers there; one network namespace has one`,
    );
  // Another daemon that starts just now may have put its own there.
  if (lstatSync(path, { throwIfNoEntry: false })?.ino === found.ino) unlinkSync(path);
}

/** One that is too busy to answer (EAGAIN) lives. */
function somebodyListens(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const answer = (listens: boolean) => {
      socket.destroy();
      resolve(listens);
    };
    socket.once('connect', () => answer(true));
    socket.once('error', ({ code }: NodeJS.ErrnoException) =>
      answer(code !== 'ECONNREFUSED' && code !== 'ENOENT'),
    );
  });
}
