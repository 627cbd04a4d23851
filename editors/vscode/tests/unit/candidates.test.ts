import assert from 'node:assert/strict';
import { test } from 'node:test';

import { candidates, isInside, type Places } from '../../src/server/candidates.ts';

const PLACES: Places = {
  set: undefined,
  chosen: undefined,
  folders: ['/home/ann/shop'],
  trusted: true,
  path: ['/usr/bin'],
  windows: false,
};

test('the setting stands alone: whoever names a Python wants to hear that it does not do', () => {
  assert.deepEqual(candidates({ ...PLACES, set: '/opt/python', chosen: '/x/python' }), [
    '/opt/python',
  ]);
});

test('the chosen one goes before those of the project, and those before PATH', () => {
  const found = candidates({ ...PLACES, chosen: '/envs/a/bin/python' });
  assert.deepEqual(found.slice(0, 4), [
    '/envs/a/bin/python',
    '/home/ann/shop/.venv/bin/python',
    '/home/ann/shop/venv/bin/python',
    '/usr/bin/python3',
  ]);
  assert.equal(new Set(found).size, found.length);
});

test('nothing inside of a workspace that is not trusted is run, not even if PATH names it', () => {
  const path = ['/home/ann/shop/bin', '.', 'bin', '/usr/bin'];
  const found = candidates({ ...PLACES, trusted: false, chosen: '/home/ann/shop/.venv/bin/python', path });
  assert.ok(found.length > 0);
  assert.deepEqual(
    found.filter((one) => !one.startsWith('/usr/bin/')),
    [],
  );
});

for (const [file, inside] of [
  ['/home/ann/shop/bin/python', true],
  ['/home/ann/shop', true],
  ['/home/ann/shopping/python', false],
  ['/home/ann/python', false],
  ['/home/ann/shop/..python', true],
] as const) {
  test(`${file} is ${inside ? '' : 'not '}inside of the folder`, () => {
    assert.equal(isInside(file, ['/home/ann/shop']), inside);
  });
}
