/** VS Code's Test Explorer: tests run through covls, as they end, and coverage of one of them. */

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, afterEach, before, test } from 'node:test';

import { EXPECTED, PLACES, PROJECTS } from './places.ts';
import { until, Workbench, type Window } from './workbench.ts';

const bench = new Workbench(PLACES);
const FOLDER = path.join(PROJECTS, 'explored');
const TESTS = `from shop import price


def test_price():
    assert price(10) == 10


def test_member():
    assert price(10, True) == 8
`;

before(() => bench.start());
afterEach((context) => bench.tidy(context));
after(() => bench.stop());

const tree = (window: Window) =>
  window.page.locator('.test-coverage-list-item').evaluateAll((rows) => rows.map((row) => row.textContent));

test('tests are run from the Test Explorer, and the coverage of one of them is shown', async () => {
  bench.shows('run', 'priorities', 'new data');
  bench.settings({
    'covls.python': EXPECTED.python,
    'covls.run.arguments': ['-p', 'no:cacheprovider'],
  });
  const window = await bench.open(FOLDER, 'shop.py');
  await until(() => window.kinds(), (kinds) => kinds[6] === 'missing', 'bars');

  // The test that was recorded is there before any run.
  await window.command('Testing: Focus on Test Explorer View');
  const rows = window.page.locator('.test-explorer .monaco-list-row');
  await rows.filter({ hasText: 'explored' }).first().waitFor();

  writeFileSync(path.join(FOLDER, 'test_shop.py'), TESTS);
  await window.command('Test: Run All Tests with Coverage');
  await until(() => window.kinds(), (kinds) => kinds[6] === 'covered', 'bars of what ran');
  const results = window.page.locator('.test-output-peek-tree .monaco-list-row');
  await results.filter({ hasText: 'test_member' }).first().waitFor();
  await window.page.getByText('1/2', { exact: true }).first().waitFor();
  await window.picture('explorer');

  // Lines are marked once, by the bars. Functions have their figures in the tree.
  await window.command('Testing: Focus on Test Coverage View');
  const folded = window.page.locator('.monaco-list-row[aria-expanded="false"]:has(.test-coverage-list-item)', {
    hasText: /^shop/,
  });
  await until(
    async () => {
      // The view may be drawn anew after the run, and a click before that is lost.
      if ((await folded.count()) > 0) {
        await folded.first().locator('.monaco-tl-twistie').click({ timeout: 5_000 }).catch(() => undefined);
      }
      return tree(window);
    },
    (rows) => rows.some((row) => row.includes('price: 100 %')),
    'functions',
  );
  assert.deepEqual((await window.nativeMarks()).marks, {});

  // Of one test it is shown what that ran.
  await window.command('Test: Filter Coverage by Test');
  const tests = window.page.locator('.quick-input-list .monaco-list-row');
  await tests.filter({ hasText: 'test_price' }).first().click();
  const ran = { 4: 'miss', 5: 'hit', 6: 'miss', 7: 'hit', 10: 'miss', 11: 'miss' };
  await until(
    () => window.nativeMarks(),
    ({ marks }) => JSON.stringify(marks) === JSON.stringify(ran),
    'what test_price runs',
  );
  await window.picture('one-test');

  // What to test next, and why.
  await window.command('Testing: Focus on Test Next View');
  const next = window.page.locator('.custom-view-tree-node-item');
  await next.filter({ hasText: 'refund' }).first().waitFor();
  await window.picture('priorities');
});
