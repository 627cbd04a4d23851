import assert from 'node:assert/strict';
import { test } from 'node:test';

import { counts, details } from '../../src/native/details.ts';
import { coverage, SUMMARY } from './coverage.ts';

test("the view's figure is the report's: statements and branches, and nothing else", () => {
  const { statements, branches } = counts(SUMMARY);
  const covered = statements.covered + branches!.covered;
  assert.equal((covered / (statements.total + branches!.total)) * 100, SUMMARY.percent);
});

test('without branches there is no count of them', () => {
  assert.equal(counts({ ...SUMMARY, branches: 0, missingBranches: 0 }).branches, undefined);
});

test('a line is said to have run or not only where the text is the one measured', () => {
  const found = details(
    coverage({
      marks: [
        [0, 1, 'covered', 'fresh'],
        [2, 2, 'missing', 'fresh'],
        [3, 3, 'partial', 'fresh'],
        [4, 4, 'missing', 'edited'],
        [5, 5, 'covered', 'new'],
        [6, 6, 'covered', 'unverified'],
        [7, 7, 'excluded', 'fresh'],
      ],
      branches: [
        { line: 3, target: 5, words: 'never true', lost: false },
        { line: 3, target: null, words: 'never left', lost: false },
      ],
    }),
  );
  assert.deepEqual(
    found.statements.map(({ line, ran, missed }) => [line, ran, missed]),
    [
      [0, true, []],
      [1, true, []],
      [2, false, []],
      [3, true, ['never true', 'never left']],
    ],
  );
});

test('functions are told, but for those that were edited or have nothing that could run', () => {
  const one = { kind: 'function', startLine: 1, endLine: 4, freshness: 'fresh', summary: SUMMARY };
  const none = { ...SUMMARY, statements: 2, missing: 2 };
  const found = details(
    coverage({
      functions: [
        { ...one, name: 'f' },
        { ...one, name: 'g', summary: none },
        { ...one, name: 'h', freshness: 'edited' },
        { ...one, name: 'K', kind: 'class' },
        { ...one, name: 'stub', summary: { ...SUMMARY, statements: 0 } },
      ],
    }),
  );
  assert.deepEqual(
    found.declarations.map(({ name, ran }) => [name, ran]),
    [
      ['f', true],
      ['g', false],
    ],
  );
});
