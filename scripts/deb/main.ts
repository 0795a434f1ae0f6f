// Makes build/lvsj_VERSION_ARCH.deb out of this checkout: `make deb`. Built twice from one commit it is the same file.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  globSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { abi } from '../../src/kernel/abi.gen.ts';
import {
  type Commit,
  fillTemplate,
  formatBody,
  formatChangelog,
  formatLicenses,
  packageVersion,
  parseChangelog,
} from './control.ts';
import {
  copies,
  copyTree,
  emptyFolders,
  installedOf,
  keepsOfCheckout,
  keepsOfPackage,
  links,
  listTree,
  manPages,
  runtimePackages,
  settleModes,
} from './files.ts';

const checkout = join(import.meta.dirname, '../..');
const root = join(checkout, 'build/deb/root');
const packaging = join(checkout, 'packaging/debian');

const read = (path: string): string => readFileSync(join(checkout, path), 'utf8');

function run(argv: string[], input = ''): string {
  const [program = '', ...args] = argv;
  const child = spawnSync(program, args, { cwd: checkout, encoding: 'utf8', input });
  if (child.status === 0) return child.stdout.trim();
  throw new Error(`"${argv.join(' ')}" failed: ${child.error?.message ?? child.stderr.trim()}`);
}

function write(path: string, content: string | Buffer): void {
  const full = join(root, path);
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, content);
}

/** gzip of the best level and without a time, as Debian asks for. */
const writeGzip = (path: string, text: string): void =>
  write(`${path}.gz`, gzipSync(text, { level: 9 }));

function readCommit(): Commit {
  const [hash = '', seconds] = run(['git', 'log', '-1', '--format=%H %ct']).split(' ');
  return {
    hash,
    seconds: Number(process.env.SOURCE_DATE_EPOCH ?? seconds),
    changed: run(['git', 'status', '--porcelain']) !== '',
  };
}

function copyFiles(): void {
  for (const { from, to } of copies)
    copyTree(join(checkout, from), join(root, to), keepsOfCheckout);
  for (const { at, to } of links) {
    mkdirSync(dirname(join(root, at)), { recursive: true });
    symlinkSync(to, join(root, at));
  }
  for (const folder of emptyFolders) mkdirSync(join(root, folder), { recursive: true });
}

/** The npm packages, Node.js among them; answers with the paragraphs of their licences. */
function copyPackages(): string {
  const lock = JSON.parse(read('package-lock.json'));
  const places = installedOf(checkout, runtimePackages(lock));
  for (const place of places) {
    const name = place.replace(/^.*node_modules\//, '');
    copyTree(join(checkout, place), join(root, 'usr/lib/lvsj', place), (path) =>
      keepsOfPackage(name, path),
    );
  }
  const [node] = places.filter((place) => place.startsWith('node_modules/node-linux-'));
  if (node === undefined) throw new Error('npm has no Node.js for this architecture');
  mkdirSync(join(root, 'usr/lib/lvsj/node_modules/.bin'));
  const program = `${node}/bin/node`;
  symlinkSync(
    program.replace('node_modules/', '../'),
    join(root, 'usr/lib/lvsj/node_modules/.bin/node'),
  );
  // Its symbols are 18 MB that nobody reads here.
  run(['strip', '--strip-unneeded', join(root, 'usr/lib/lvsj', program)]);
  return formatLicenses(
    places.map((place) => ({ name: place.slice('node_modules/'.length), ...lock.packages[place] })),
  );
}

function writeManPages(): void {
  for (const page of manPages) {
    const section = page.slice(-1);
    writeGzip(
      `usr/share/man/man${section}/${page}`,
      run(['go-md2man'], read(`docs/man/${page}.md`)),
    );
  }
}

/** Files with their sizes as dpkg adds them up: in KiB, each rounded up. */
function installedKib(): number {
  const sizes = listTree(root).map((path) => {
    const status = lstatSync(join(root, path));
    return status.isFile() ? Math.ceil(status.size / 1024) : 1;
  });
  return sizes.reduce((sum, size) => sum + size, 0);
}

function writeControl(version: string): void {
  const values = {
    VERSION: version,
    ARCHITECTURE: run(['dpkg', '--print-architecture']),
    INSTALLED_SIZE: installedKib(),
    ABI: abi.ABI_VERSION,
  };
  // Conffiles are the admin's to change.
  const files = listTree(root).filter(
    (path) => !path.startsWith('etc/') && lstatSync(join(root, path)).isFile(),
  );
  const sums = files.map((path) => {
    const sum = createHash('md5')
      .update(readFileSync(join(root, path)))
      .digest('hex');
    return `${sum}  ${path}\n`;
  });
  for (const name of ['control', 'conffiles', 'preinst', 'postinst', 'prerm', 'postrm'])
    write(`DEBIAN/${name}`, fillTemplate(readFileSync(join(packaging, name), 'utf8'), values));
  write('DEBIAN/md5sums', sums.join(''));
  for (const script of ['preinst', 'postinst', 'prerm', 'postrm'])
    chmodSync(join(root, 'DEBIAN', script), 0o755);
}

function main(): void {
  process.umask(0o022);
  const commit = readCommit();
  const sections = parseChangelog(read('CHANGELOG.md'));
  const version = packageVersion(JSON.parse(read('package.json')).version, sections, commit);
  const maintainer = /^Maintainer: (.*)$/m.exec(
    readFileSync(join(packaging, 'control'), 'utf8'),
  )?.[1];
  if (maintainer === undefined) throw new Error('packaging/debian/control names no maintainer');

  rmSync(root, { recursive: true, force: true });
  // Those of former commits: build/lvsj_*.deb is one file.
  for (const file of globSync('build/lvsj_*.deb', { cwd: checkout })) rmSync(join(checkout, file));
  copyFiles();
  const licenses = copyPackages();
  writeManPages();
  const doc = 'usr/share/doc/lvsj';
  write(
    `${doc}/copyright`,
    fillTemplate(readFileSync(join(packaging, 'copyright'), 'utf8'), {
      MIT: formatBody(read('LICENSE')),
      LICENSES: licenses,
    }),
  );
  writeGzip(
    `${doc}/changelog`,
    formatChangelog({ version, section: sections[0], maintainer, seconds: commit.seconds }),
  );
  settleModes(root);
  writeControl(version);

  // dpkg-deb takes no file for newer than SOURCE_DATE_EPOCH; one thread, for more would pack in blocks.
  process.env.SOURCE_DATE_EPOCH = String(commit.seconds);
  const made = run([
    ...['dpkg-deb', '--root-owner-group', '-Zxz', '-z3', '--threads-max=1'],
    ...['--build', 'build/deb/root', 'build'],
  ]);
  console.log(made);
}

main();
