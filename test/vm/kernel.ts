// Debian's own kernel, unpacked below build/vm and nowhere installed, and the initrd that brings it to the checkout.

import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError } from '../../src/util/error.ts';
import { run } from '../../src/util/run.ts';

const folder = fileURLToPath(new URL('../../build/vm', import.meta.url));
const init = fileURLToPath(new URL('initrd-init.sh', import.meta.url));

/** What must be there before the host's files are: they come by 9p, over virtio. */
const bootModules = ['virtio_pci', 'virtio_console', '9p', '9pnet_virtio', 'overlay'];
const busyboxTools = ['sh', 'mount', 'mkdir', 'insmod', 'switch_root', 'poweroff'];

export interface Kernel {
  version: string;
  image: string;
  initrd: string;
  /** Holds a folder of modules by version. */
  modules: string;
}

/** The kernel of this Debian, downloaded when it is needed first. */
export function prepareKernel(): Kernel {
  if (process.arch !== 'x64') throw new UserError('the virtual machine is one for x86_64');
  const depends = run(['apt-cache', 'depends', 'linux-image-amd64']);
  const version = /Depends: linux-image-(\S+)/.exec(depends)?.[1];
  if (!version) throw new UserError('apt knows no kernel: is this Debian? apt-get update helps');
  const home = join(folder, version);
  const kernel = {
    version,
    image: join(home, `boot/vmlinuz-${version}`),
    initrd: join(home, 'initrd'),
    modules: join(home, 'lib/modules'),
  };
  if (!existsSync(kernel.image)) unpack(home, version);
  makeInitrd(home, kernel);
  return kernel;
}

function unpack(home: string, version: string): void {
  mkdirSync(home, { recursive: true });
  const sh = (script: string): string => run(['sh', '-ec', script, 'sh', home, version]);
  sh('cd "$1"; apt-get -q download "linux-image-$2" >/dev/null');
  sh('cd "$1"; mkdir new; dpkg -x linux-image-*.deb new; depmod -b new "$2"');
  // A rename, so that a run that was interrupted leaves nothing that looks whole.
  sh('cd "$1"; rm linux-image-*.deb; mv new/lib .; mv new/boot .; rm -r new');
}

function makeInitrd(home: string, { version, initrd }: Kernel): void {
  const root = join(home, 'root');
  rmSync(root, { recursive: true, force: true });
  for (const name of ['bin', 'modules', 'proc', 'sys', 'dev', 'host', 'memory', 'root'])
    mkdirSync(join(root, name), { recursive: true });
  copyFileSync('/usr/bin/busybox', join(root, 'bin/busybox'));
  for (const name of busyboxTools) symlinkSync('busybox', join(root, 'bin', name));
  const files = new Set(bootModules.flatMap((name) => modulesOf(home, version, name)));
  for (const file of files) copyFileSync(file, join(root, 'modules', basename(file)));
  const order = [...files].map((file) => `${basename(file)}\n`).join('');
  writeFileSync(join(root, 'modules/order'), order);
  writeFileSync(join(root, 'init'), readFileSync(init));
  chmodSync(join(root, 'init'), 0o755);
  const pack = 'cd "$1"; find . | cpio -o -H newc --quiet | gzip -1 >"$2"';
  run(['sh', '-ec', pack, 'sh', root, initrd]);
}

/** A module's files, in the order in which the kernel takes them. */
function modulesOf(home: string, version: string, name: string): string[] {
  const shown = run(['modprobe', '-d', home, '-S', version, '--show-depends', name]);
  return [...shown.matchAll(/^insmod (\S+)/gm)].map(([, file]) => file!);
}
