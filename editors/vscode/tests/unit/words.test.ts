import assert from 'node:assert/strict';
import { test } from 'node:test';

import { words } from '../../src/status/words.ts';
import { coverage, STATUS } from './coverage.ts';

const FILE = coverage({});

for (const [what, status, file, text] of [
  ['the file on screen goes before the project', STATUS, FILE, '$(beaker) 65 %'],
  ['without one it is the project', STATUS, undefined, '$(beaker) 80 %'],
  ['the patch', { ...STATUS, patchPercentText: '75' }, FILE, '$(beaker) 65 % · patch 75 %'],
  ['stale', { ...STATUS, state: 'stale', stale: true }, FILE, '$(history) 65 %'],
  ['running', { ...STATUS, state: 'running', stale: true }, FILE, '$(sync~spin) 65 %'],
  [
    'tests are collected',
    { ...STATUS, state: 'running', run: { done: 0, total: 0, failed: 0 } },
    FILE,
    '$(sync~spin) 65 % · collecting tests',
  ],
  [
    'how far the run is, also before there are any figures',
    { ...STATUS, state: 'running', percentText: null, run: { done: 12, total: 96, failed: 0 } },
    undefined,
    '$(sync~spin) coverage · 12 of 96 tests',
  ],
  [
    'what failed so far',
    { ...STATUS, state: 'running', run: { done: 12, total: 96, failed: 1 } },
    FILE,
    '$(sync~spin) 65 % · 12 of 96 tests · 1 failed',
  ],
  ['no data', { ...STATUS, state: 'noData' }, undefined, '$(circle-slash) no coverage'],
  ['an error', { ...STATUS, state: 'error' }, undefined, '$(error) coverage'],
  ['not counted yet', { ...STATUS, percentText: null }, undefined, '$(beaker) coverage'],
  ['not there yet', undefined, undefined, '$(loading~spin) covls'],
] as const) {
  test(`${what}: ${text}`, () => {
    assert.equal(words(status, file, undefined).text, text);
  });
}

test('that there is no server is said before all else', () => {
  const said = words(STATUS, FILE, 'covls needs Python 3.11 or newer');
  assert.deepEqual([said.text, said.tooltip, said.warning], [
    '$(error) covls',
    'covls needs Python 3.11 or newer',
    true,
  ]);
});

test('all figures stand in the tooltip, with what the server says', () => {
  const base = { basePercentText: '81', baseCommit: '6f1c2d0b8f9b6a1d1f0c6a1b7f3f8e0f5a9d7c21' };
  const status = { ...STATUS, patchPercentText: '75', ...base, message: 'shop.py' };
  const { tooltip } = words(status, FILE, undefined);
  const figures = ['This file: 65 %, 5 of 16', '2 partly', 'Project: 80 %', 'Patch: 75 %'];
  for (const part of [...figures, 'Base: 81 % at 6f1c2d0', 'shop.py']) {
    assert.ok(tooltip.includes(part), part);
  }
});
