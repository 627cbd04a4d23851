import assert from 'node:assert/strict';
import { test } from 'node:test';

import { chosen, type Node } from '../../src/native/chosen.ts';
import { placeOf } from '../../src/native/test_names.ts';

for (const [name, file, within] of [
  ['tests/test_a.py::test_b', 'tests/test_a.py', 'test_b'],
  ['tests/test_a.py::TestB::test_c[1::2]', 'tests/test_a.py', 'TestB::test_c[1::2]'],
  ['shop.tests.test_a.TestB.test_c', 'shop.tests.test_a', 'TestB.test_c'],
  ['test_a.test_b', 'test_a', 'test_b'],
  // A file that could not be imported stands for its tests.
  ['tests/test_a.py', 'tests/test_a.py', ''],
  ['test_a.py', 'test_a.py', ''],
] as const) {
  test(`${name} is in ${file}`, () => {
    assert.deepEqual(placeOf(name), { file, name: within });
  });
}

const leaf = (folder: string, test: string): Node => ({
  folder,
  file: placeOf(test).file,
  test,
  children: [],
});
const group = (folder: string, file: string, children: Node[]): Node => ({ folder, file, children });
const [B, C, D, X] = [
  leaf('a', 't.py::b'),
  leaf('a', 't.py::c'),
  leaf('a', 'u.py::d'),
  leaf('z', 'm.test.X.test_x'),
];
const T = group('a', 't.py', [B, C]);
const U = group('a', 'u.py', [D]);
const A: Node = { folder: 'a', children: [T, U] };
const M = group('z', 'm.test', [X]);

for (const [what, include, exclude, wanted] of [
  ['tests by their names', [B, D], [], [{ folder: 'a', tests: ['t.py::b', 'u.py::d'] }]],
  ['a file by its own, for it may have new tests', [T], [], [{ folder: 'a', tests: ['t.py'] }]],
  ['a module by its tests, for it is none that can be run', [M], [], [
    { folder: 'z', tests: ['m.test.X.test_x'] },
  ]],
  ['a folder as a whole', [A], [], [{ folder: 'a', tests: undefined }]],
  ['a folder without a file', [A], [U], [{ folder: 'a', tests: ['t.py'] }]],
  ['a file without a test', [T], [B], [{ folder: 'a', tests: ['t.py::c'] }]],
  ['nothing that is left out', [B], [B], []],
  ['each folder for itself', [B, X], [], [
    { folder: 'a', tests: ['t.py::b'] },
    { folder: 'z', tests: ['m.test.X.test_x'] },
  ]],
  ['each test once', [B, B], [], [{ folder: 'a', tests: ['t.py::b'] }]],
  ['all, where all and one are chosen', [B, A], [], [{ folder: 'a', tests: undefined }]],
] as const) {
  test(`what runs: ${what}`, () => {
    assert.deepEqual(chosen(include, new Set<Node>(exclude)), wanted);
  });
}
