import assert from 'node:assert/strict';
import { test } from 'node:test';

import { rowOf, rows } from '../../src/priorities/rows.ts';
import type { PriorityRow } from '../../src/protocol.ts';

const ROW: PriorityRow = {
  folder: 'file:///shop',
  uri: 'file:///shop/shop.py',
  file: 'shop.py',
  title: 'Cart.discount',
  startLine: 11,
  endLine: 16,
  lines: [
    [13, 13],
    [15, 16],
  ],
  score: 9.24,
  factors: {
    statements: 3,
    branches: 2,
    inPatch: 0,
    elsewhere: 0,
    complexity: 4,
    commits: 8,
    weight: 1,
  },
  reasons: ['3 of 5 statements not run', 'complexity 4'],
  advice: 'Try it with an empty cart.',
  stale: false,
  action: {
    words: 'Add a case beside test_discount.',
    uri: 'file:///shop/test_shop.py',
    exists: true,
    test: 'test_shop.py::test_discount',
    location: {
      uri: 'file:///shop/test_shop.py',
      range: { start: { line: 20, character: 0 }, end: { line: 20, character: 9 } },
    },
    command: ['covls', 'run', 'test_shop.py'],
  },
};

test('a row leads to the first line that is missing, and says where it is', () => {
  const row = rowOf(ROW);
  assert.deepEqual([row.label, row.description], ['Cart.discount', 'shop.py']);
  assert.deepEqual(row.target, { uri: 'file:///shop/shop.py', line: 13 });
});

test('below it stand what to do, which leads to the test, and the reasons', () => {
  assert.deepEqual(
    rowOf({ ...ROW, stale: true }).below.map(({ label, target }) => [label, target?.line]),
    [
      ['Add a case beside test_discount.', 20],
      ['3 of 5 statements not run', 13],
      ['complexity 4', 13],
      ['Try it with an empty cart.', 13],
      ['The file may not be the one that was measured.', 13],
    ],
  );
});

for (const [what, uri, exists, line] of [
  ['a test file that is there is opened at its top', 'file:///shop/test_shop.py', true, 0],
  ['one that is to be written is not', 'file:///shop/test_new.py', false, undefined],
  ['nor one of which nothing is known', null, false, undefined],
] as const) {
  test(what, () => {
    const [todo] = rowOf({ ...ROW, action: { ...ROW.action, location: null, uri, exists } }).below;
    assert.equal(todo?.target?.line, line);
  });
}

test('notes come last: the list is what is looked for', () => {
  const notes = ['Left out: 1 file of tests.'];
  const found = rows({ folders: [], by: 'function', total: 1, rows: [ROW], notes });
  assert.deepEqual(
    found.map(({ label, target }) => [label, target?.line]),
    [
      ['Cart.discount', 13],
      ['Left out: 1 file of tests.', undefined],
    ],
  );
});
