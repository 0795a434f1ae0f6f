// Tells when somebody changes links, addresses, routes, policy rules or nftables in this network
// namespace: by `ip monitor` and `nft monitor`, kept running.

import { type ChildProcess, spawn } from 'node:child_process';

export interface Watch {
  close(): void;
}

/** After a monitor ended: the kernel may have had more to say than its socket holds. */
const restartMs = 200;

/** Calls `seen` whenever the program prints something, and whenever it had to be started again. */
function watchProgram([program = '', ...args]: string[], seen: () => void): Watch {
  let child: ChildProcess | undefined;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  const start = (): void => {
    const env = { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin` };
    child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'ignore'] });
    child.stdout?.on('data', seen);
    child.on('error', () => {});
    child.on('close', () => {
      if (closed) return;
      timer = setTimeout(() => {
        start();
        seen();
      }, restartMs);
    });
  };
  start();
  return {
    close: () => {
      closed = true;
      clearTimeout(timer);
      child?.kill();
    },
  };
}

/** Links (also their carrier), addresses, routes of all tables, policy rules; both families. */
export const watchNetwork = (seen: () => void): Watch =>
  watchProgram(['ip', 'monitor', 'link', 'address', 'route', 'rule'], seen);

/** Rules alone: sets that packets fill would have much to tell. */
export const watchNft = (seen: () => void): Watch =>
  watchProgram(['nft', 'monitor', 'rules'], seen);
