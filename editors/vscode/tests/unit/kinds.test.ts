import assert from 'node:assert/strict';
import { test } from 'node:test';

import { kindOf, linesByKind, neighbour, uncovered, type Lines } from '../../src/gutter/kinds.ts';
import { coverage } from './coverage.ts';

for (const [state, freshness, kind, why] of [
  ['covered', 'fresh', 'covered', 'as measured'],
  ['partial', 'fresh', 'partial', 'as measured'],
  ['missing', 'fresh', 'missing', 'as measured'],
  ['missing', 'edited', 'edited', 'what is known is of another text'],
  ['covered', 'edited', 'edited', 'what is known is of another text'],
  ['missing', 'new', 'edited', 'nothing is known of it'],
  ['covered', 'unverified', 'unverifiedCovered', 'it may be so'],
  ['missing', 'unverified', 'unverifiedMissing', 'it may be so'],
  ['partial', 'unverified', 'unverifiedPartial', 'it may be so'],
  ['excluded', 'fresh', undefined, 'it needs no attention'],
  ['excluded', 'edited', undefined, 'it needs no attention'],
  ['something new', 'fresh', undefined, 'a later server may say more'],
] as const) {
  test(`${state} and ${freshness} is drawn as ${kind ?? 'nothing'}: ${why}`, () => {
    assert.equal(kindOf(state, freshness), kind);
  });
}

const MARKED = coverage({
  marks: [
    [0, 1, 'covered', 'fresh'],
    [3, 4, 'missing', 'fresh'],
    [6, 6, 'partial', 'fresh'],
    [8, 9, 'missing', 'fresh'],
    [11, 11, 'missing', 'edited'],
  ],
});

test('lines come by kind', () => {
  assert.deepEqual(Object.fromEntries(linesByKind(MARKED)), {
    covered: [[0, 1]],
    missing: [
      [3, 4],
      [8, 9],
    ],
    partial: [[6, 6]],
    edited: [[11, 11]],
  });
});

test('where there is no coverage there are no lines', () => {
  assert.equal(linesByKind(undefined).size, 0);
});

const BLOCKS: Lines[] = uncovered(MARKED);

test('what is uncovered is in order, and what was edited is not said to be', () => {
  assert.deepEqual(BLOCKS, [
    [3, 4],
    [6, 6],
    [8, 9],
  ]);
});

for (const [line, forward, found, why] of [
  [0, true, 3, 'the first below'],
  [3, true, 6, 'not the one the cursor is in'],
  [9, true, 3, 'on from the top'],
  [9, false, 6, 'not the one the cursor is in'],
  [2, false, 8, 'on from the bottom'],
] as const) {
  test(`from line ${line} ${forward ? 'down' : 'up'} to ${found}: ${why}`, () => {
    assert.equal(neighbour(BLOCKS, line, forward)?.[0], found);
  });
}

test('where nothing is uncovered there is nowhere to go', () => {
  assert.equal(neighbour([], 3, true), undefined);
});
