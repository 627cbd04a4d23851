import assert from 'node:assert/strict';
import { test } from 'node:test';

import { rows } from '../../src/files/rows.ts';
import { SUMMARY } from './coverage.ts';

function file(name: string, missing: number, missingBranches: number, freshness = 'fresh') {
  const summary = { ...SUMMARY, missing, missingBranches };
  return { uri: `file:///${name}`, folder: 'file:///', name, freshness, summary };
}

test('the files with most to win come first, and like ones by name', () => {
  const files = [file('full', 0, 0), file('b', 3, 2), file('a', 4, 1), file('most', 9, 0)];
  const found = rows({ folders: [], summary: SUMMARY, files, problems: [] });
  assert.deepEqual(
    found.map(({ name, full }) => [name, full]),
    [
      ['most', false],
      ['a', false],
      ['b', false],
      ['full', true],
    ],
  );
});

test('a row says what is missed, and whether that is still true', () => {
  const files = [file('a', 4, 1, 'edited')];
  const [row] = rows({ folders: [], summary: SUMMARY, files, problems: [] });
  assert.equal(row!.figure, '65 %');
  assert.equal(row!.detail, '4 of 16 statements missed, 1 branch; edited since it was measured');
});

test('of several folders, files of the same name are told apart', () => {
  const folders = ['file:///home/my%20shop', 'file:///home/other'];
  const files = folders.map((folder) => ({ ...file('shop.py', 1, 0), folder }));
  const found = rows({ folders, summary: SUMMARY, files, problems: [] });
  assert.deepEqual(
    found.map(({ name }) => name),
    ['my shop/shop.py', 'other/shop.py'],
  );
});
