/** Coverage as the server would send it, for tests. */

import type { FileCoverageResult, StatusParams, Summary } from '../../src/protocol.ts';

export const SUMMARY: Summary = {
  percent: 65,
  percentText: '65',
  statements: 16,
  missing: 5,
  excluded: 0,
  branches: 4,
  partialBranches: 2,
  missingBranches: 2,
};

export function coverage(some: Partial<FileCoverageResult>): FileCoverageResult {
  return {
    uri: 'file:///shop/shop.py',
    version: 1,
    freshness: 'fresh',
    summary: SUMMARY,
    marks: [],
    functions: [],
    branches: [],
    lost: [],
    patch: null,
    ...some,
  };
}

export const STATUS: StatusParams = {
  folder: 'file:///shop',
  state: 'ok',
  percent: 80,
  percentText: '80',
  patchPercent: null,
  patchPercentText: null,
  basePercent: null,
  basePercentText: null,
  baseCommit: null,
  stale: false,
  message: '',
  python: null,
  tests: null,
  run: null,
};
