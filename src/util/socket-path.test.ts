// The daemon's socket by network namespace.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run } from './run.ts';

const module = new URL('./socket-path.ts', import.meta.url).pathname;
const program = `
  const { statSync } = await import('node:fs');
  const { socketPath } = await import(${JSON.stringify(module)});
  process.stdout.write(statSync('/proc/self/ns/net').ino + ' ' + socketPath());
`;
const node = [process.execPath, '--input-type=module', '-e', program];
const isRoot = process.getuid?.() === 0;

test('the network namespace of process 1 has the plain name', { skip: !isRoot }, () => {
  const unshare = ['unshare', '--net', '--pid', '--fork', '--mount-proc'];
  assert.equal(run([...unshare, ...node]).split(' ')[1], '/run/lvsj/lvsj.sock');
});

test('another network namespace has its number in the name', { skip: !isRoot }, () => {
  const [number, path] = run(['unshare', '--net', ...node]).split(' ');
  assert.equal(path, `/run/lvsj/netns-${number}.sock`);
});

test('who is not root finds the same name', { skip: !isRoot }, () => {
  const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
  const [number, path] = run(['unshare', '--net', ...nobody, ...node]).split(' ');
  assert.equal(path, `/run/lvsj/netns-${number}.sock`);
});
