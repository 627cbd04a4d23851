/** What is shown beside the text: VS Code's own views, the side view, the status bar, the report. */

import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';

import { EXPECTED, PLACES } from './places.ts';
import { until, Workbench, type Window } from './workbench.ts';

const bench = new Workbench(PLACES);
const FILE = 'src/click/parser.py';

before(() => bench.start());
afterEach(() => bench.tidy());
after(() => bench.stop());

const badges = (window: Window) =>
  window.page
    .locator('.explorer-folders-view .monaco-list-row')
    .evaluateAll((rows) =>
      rows.map((row) => [
        row.getAttribute('aria-label') ?? '',
        row.querySelector('.test-coverage-bars .tpc, .test-coverage-bars')?.textContent ?? '',
      ]),
    );

const tree = (window: Window) =>
  window.page
    .locator('.test-coverage-list-item')
    .evaluateAll((rows) =>
      Object.fromEntries(
        rows.map((row) => [
          row.querySelector('.label-name, .label')?.textContent ?? '',
          row.querySelector('.tpc')?.textContent ?? '',
        ]),
      ),
    );

test("VS Code's own Test Coverage view has coverage.py's figures, and can be switched off", async () => {
  bench.settings({ 'covls.testCoverage.markLines': true });
  const window = await bench.open(EXPECTED.click, [FILE]);
  const files = Object.entries(EXPECTED.files).filter(([name]) => name.startsWith('src/'));
  const shown = await until(
    () => badges(window),
    (rows) => rows.some(([, figure]) => figure !== ''),
    'badges in the Explorer',
  );
  const badged = shown.filter(([name, figure]) => name!.endsWith('.py') && figure !== '');
  assert.equal(badged.length, files.length);
  for (const [name, figure] of badged) {
    const { percent_covered: percent } = EXPECTED.files[`src/click/${name!}`]!.summary;
    assert.ok(Math.abs(parseFloat(figure!) - percent) < 1, `${name!}: ${figure!}, not ${percent}`);
  }
  const marked = () => window.page.locator('.coverage-deco-gutter.coverage-deco-hit').count();
  await until(marked, (count) => count > 5, 'marks at line numbers');

  await window.command('Testing: Focus on Test Coverage View');
  const figures = await until(() => tree(window), (rows) => Object.keys(rows).length > 10, 'the tree');
  assert.equal(figures['click-8.3.1'], `${EXPECTED.totals.percent_covered.toFixed(2)}%`);
  let compared = 0;
  for (const [name, { summary }] of files) {
    const figure = figures[name.replace('src/click/', '')];
    if (figure !== undefined) {
      assert.equal(figure, `${summary.percent_covered.toFixed(2)}%`, name);
      compared += 1;
    }
  }
  assert.ok(compared > 8, `${compared} files are in view`);
  await window.picture('readme-native');

  bench.settings({ 'covls.testCoverage.enable': false });
  await window.reload();
  await until(() => window.kinds(), (kinds) => Object.keys(kinds).length > 5, 'bars');
  assert.equal(await marked(), 0);
});

test('the side view, the menu and the HTML report', async () => {
  const window = await bench.open(EXPECTED.click, [FILE]);
  await until(() => window.status(), (text) => text.endsWith('%'), 'a figure');
  await window.command('Testing: Focus on Coverage View');
  const files = () =>
    window.page
      .locator('.pane:has([aria-label^="Coverage"]) .custom-view-tree-node-item')
      .allTextContents();
  const shown = await until(files, (found) => found.length > 3, 'files');
  // The file with most to win comes first.
  assert.match(shown[0]!, /^tests\/test_options\.py\s*0 %$/);

  await window.page.locator('[id="covls.covls.covls"] a').click();
  const rows = window.page.locator('.quick-input-list .monaco-list-row');
  await rows.filter({ hasText: 'Open the HTML report' }).waitFor();
  await window.picture('menu');
  await rows.filter({ hasText: 'Open the HTML report' }).click();
  // The browser is on another machine than the report, as far as VS Code knows: so in a panel.
  const page = window.page.frameLocator('iframe.webview').frameLocator('iframe');
  await page.locator('h1').first().waitFor({ timeout: 60_000 });
  assert.match((await page.locator('h1').first().textContent()) ?? '', /parser\.py.*70%/s);
  await window.picture('report');
});
