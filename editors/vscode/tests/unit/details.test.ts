import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  counts,
  details,
  detailsOfTest,
  functionsOnly,
  type Details,
} from '../../src/native/details.ts';
import { coverage, SUMMARY } from './coverage.ts';

test("the view's figure is the report's, though it adds up functions, too", () => {
  const full = { ...SUMMARY, percent: 100, missing: 0, missingBranches: 0 };
  for (const summary of [SUMMARY, full, { ...full, branches: 0 }]) {
    const { statements, branches, functions } = counts(summary);
    assert.ok(functions.total > 0, 'or no function is listed');
    const all = [statements, branches ?? { covered: 0, total: 0 }, functions];
    const sum = (of: 'covered' | 'total') => all.reduce((found, one) => found + one[of], 0);
    const figure = (sum('covered') / sum('total')) * 100;
    assert.ok(Math.abs(figure - summary.percent) < 1e-9, String(figure));
    // 100 % is said of nothing less.
    assert.equal(figure === 100, summary.percent === 100);
  }
});

test('without branches there is no count of them', () => {
  assert.equal(counts({ ...SUMMARY, branches: 0, missingBranches: 0 }).branches, undefined);
});

const statement = (startLine: number, ran: boolean, branches = 0, missedBranches = 0) => ({
  startLine,
  endLine: startLine,
  ran,
  branches,
  missedBranches,
});

test('statements have the ways that were not taken, in words as far as there are any', () => {
  const found = details(
    coverage({
      branches: [
        { line: 3, target: 5, words: 'never true', lost: false },
        { line: 3, target: null, words: 'never left', lost: false },
      ],
    }),
    [{ ...statement(0, true), endLine: 1 }, statement(3, true, 3, 2), statement(6, false, 2, 2)],
  );
  assert.deepEqual(
    found.statements.map(({ start, end, ran, taken, missed }) => [start, end, ran, taken, missed]),
    [
      [0, 1, true, 0, []],
      [3, 3, true, 1, ['never true', 'never left']],
      [6, 6, false, 0, ['', '']],
    ],
  );
});

const ONE = { kind: 'function', startLine: 1, endLine: 4, freshness: 'fresh', summary: SUMMARY };
const FUNCTIONS = coverage({
  functions: [
    { ...ONE, name: 'f' },
    { ...ONE, name: 'g', startLine: 5, endLine: 8, summary: { ...SUMMARY, statements: 2, missing: 2 } },
    { ...ONE, name: 'h', freshness: 'edited' },
    { ...ONE, name: 'K', kind: 'class' },
    { ...ONE, name: 'stub', summary: { ...SUMMARY, statements: 0 } },
  ],
});
const declared = ({ declarations }: Details) => declarations.map(({ name, ran }) => [name, ran]);

test('functions are told, but for those that were edited or have nothing that could run', () => {
  assert.deepEqual(declared(details(FUNCTIONS, [])), [
    ['f', true],
    ['g', false],
  ]);
});

test('of one test, functions ran of which it ran more than the first line', () => {
  const measured = [statement(1, true), statement(2, false), statement(5, false), statement(6, true)];
  assert.deepEqual(declared(detailsOfTest(FUNCTIONS, measured)), [
    ['f', false],
    ['g', true],
  ]);
});

test('where the gutter marks the lines, functions have their figures in their names', () => {
  const found = functionsOnly(FUNCTIONS);
  assert.deepEqual(found.statements, []);
  assert.deepEqual(declared(found), [
    ['f: 65 %', true],
    ['g: 65 %', false],
  ]);
});
