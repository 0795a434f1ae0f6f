// What the package holds and where it comes from: copies of the checkout, without tests, tools of
// developers, and what a running lvsj does not read.

import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** From the checkout to the package's root; a folder goes with all that is in it. */
export const copies: { from: string; to: string }[] = [
  { from: 'lvsj', to: 'usr/lib/lvsj/lvsj' },
  { from: 'package.json', to: 'usr/lib/lvsj/package.json' },
  { from: 'src', to: 'usr/lib/lvsj/src' },
  { from: 'build/director.o', to: 'usr/lib/lvsj/build/director.o' },
  // director.o is under the GPL: its source comes with it.
  { from: 'bpf', to: 'usr/lib/lvsj/bpf' },
  { from: 'packaging/lvsj.yaml', to: 'etc/lvsj/lvsj.yaml' },
  { from: 'packaging/lvsj.service', to: 'lib/systemd/system/lvsj.service' },
  { from: 'packaging/completion/lvsj.bash', to: 'usr/share/bash-completion/completions/lvsj' },
  { from: 'packaging/completion/_lvsj', to: 'usr/share/zsh/vendor-completions/_lvsj' },
  { from: 'packaging/completion/lvsj.fish', to: 'usr/share/fish/vendor_completions.d/lvsj.fish' },
  { from: 'packaging/debian/lintian-overrides', to: 'usr/share/lintian/overrides/lvsj' },
  { from: 'docs', to: 'usr/share/doc/lvsj/docs' },
  { from: 'README.md', to: 'usr/share/doc/lvsj/README.md' },
  { from: 'contrib/ldirectord', to: 'usr/share/doc/lvsj/examples/ldirectord' },
];

export const manPages = ['lvsj.8', 'lvsj.yaml.5'];

/** A link's place, and where it leads. */
export const links: { at: string; to: string }[] = [
  { at: 'usr/bin/lvsj', to: '../lib/lvsj/lvsj' },
  // Written at run time, so not below /usr.
  { at: 'usr/lib/lvsj/.cache', to: '/var/cache/lvsj' },
];

/** Folders that only dpkg shall make. */
export const emptyFolders = ['var/cache/lvsj'];

interface LockedPackage {
  version: string;
  license?: string;
  dev?: boolean;
}

/** Places below the checkout of the packages that lvsj needs at run time, by the lock file. */
export function runtimePackages(lock: { packages: Record<string, LockedPackage> }): string[] {
  return Object.entries(lock.packages)
    .filter(([place, { dev }]) => place !== '' && !dev)
    .map(([place]) => place);
}

/** At the top of an npm package: what is there for its developers. Deeper down such names are code (yaml/dist/doc). */
const notAtTop =
  /^(tests?|__tests__|spec|integration|scripts|docs?|examples?|bench|benchmarks?|vendor|include|share|musl_x64)$/;
/**
 * Anywhere: hidden files, documents, source maps, shell scripts, types (Node.js runs no TypeScript in
 * node_modules), and the C that koffi's binary was made of.
 */
const nowhere =
  /(^|\/)\.|\.(md|markdown|html|map|ya?ml|sh|bat|[cm]?ts|tsbuildinfo|cc|hh|h|S|inc|asm)$/;

/** Whether a file or folder of an npm package is copied; `path` is below the package's folder. */
export function keepsOfPackage(name: string, path: string): boolean {
  const parts = path.split('/');
  // TypeScript that the rest was made of.
  if (name === 'zod' && parts[0] === 'src') return false;
  // Packages of packages are copied on their own, as the lock file lists them.
  return !notAtTop.test(parts[0] ?? '') && parts[0] !== 'node_modules' && !nowhere.test(path);
}

/** Tests lie beside their source. */
export const keepsOfCheckout = (path: string): boolean => !path.endsWith('.test.ts');

/** Copies a file or folder; `keeps` is asked with paths below `from`. */
export function copyTree(from: string, to: string, keeps: (path: string) => boolean): void {
  mkdirSync(dirname(to), { recursive: true });
  cpSync(from, to, {
    recursive: true,
    filter: (path) => path === from || keeps(path.slice(from.length + 1)),
  });
}

/** Every file, link and folder below, sorted, from the root. */
export function listTree(root: string): string[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' }).sort();
}

/** A program begins with #! or is an ELF file that was executable. */
function isProgram(path: string, mode: number): boolean {
  const start = readFileSync(path).subarray(0, 4).toString('latin1');
  return (mode & 0o111) !== 0 && (start.startsWith('#!') || start === '\x7fELF');
}

/** Modes that do not depend on who built it with which umask. */
export function settleModes(root: string): void {
  chmodSync(root, 0o755);
  for (const path of listTree(root)) {
    const full = join(root, path);
    const status = lstatSync(full);
    if (status.isSymbolicLink()) continue;
    const runs = status.isDirectory() || isProgram(full, status.mode);
    chmodSync(full, runs && !basename(path).endsWith('.node') ? 0o755 : 0o644);
  }
}

/** Those of `places` that npm has installed: of packages for one platform each, this one's. */
export const installedOf = (root: string, places: string[]): string[] =>
  places.filter((place) => existsSync(join(root, place)));
