import assert from 'node:assert/strict';
import { test } from 'node:test';

import { byPython, namedProgram } from '../../src/server/launch.ts';
import { answer, isNewEnough } from '../../src/server/python_version.ts';

const BUNDLED = '/ext/bundled/serve.py';
const PYTHON = { path: '/usr/bin/python3', version: [3, 12, 1], hasCovls: true };

test('the bundle is run in isolation: nothing of the current folder comes in', () => {
  assert.deepEqual(byPython(PYTHON, false, BUNDLED).arguments, ['-I', BUNDLED]);
});

test("the environment's covls is run where it is wanted, and there", () => {
  assert.deepEqual(byPython(PYTHON, true, BUNDLED).arguments, ['-I', '-m', 'covls', 'serve']);
  const without = { ...PYTHON, hasCovls: false };
  assert.deepEqual(byPython(without, true, BUNDLED).arguments, ['-I', BUNDLED]);
});

test('a program that is named is run as it is', () => {
  assert.deepEqual(namedProgram('/opt/covls').arguments, ['serve']);
});

for (const [version, does] of [
  [[3, 11, 0], true],
  [[3, 10, 14], false],
  [[3, 9], false],
  [[4, 0], true],
  [[2, 7], false],
  [[], false],
] as const) {
  test(`Python ${version.join('.')} ${does ? 'does' : 'does not do'}`, () => {
    assert.equal(isNewEnough(version), does);
  });
}

test('an answer that is none is no Python', () => {
  assert.equal(answer('/x', 'Segmentation fault'), undefined);
  assert.deepEqual(answer('/x', '[[3, 13, 0], false]\n'), {
    path: '/x',
    version: [3, 13, 0],
    hasCovls: false,
  });
});
