/** What is drawn before the lines, on click with real data: where, in which colours, and how it moves. */

import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';

import { EXPECTED, MANIFEST, PLACES } from './places.ts';
import { until, Workbench, type Window } from './workbench.ts';

const bench = new Workbench(PLACES);
const FILE = 'src/click/globals.py';
const LONG = 'src/click/parser.py';

before(() => bench.start());
afterEach(() => bench.tidy());
after(() => bench.stop());

function expected(file: string): Record<string, string> {
  return { ...EXPECTED.files[file]!.bars };
}

/** All bars of the file on screen, page by page. */
async function allBars(window: Window, last: number): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (let line = 1; line < last + 20; line += 15) {
    await window.goTo(Math.min(line, last));
    Object.assign(found, await window.kinds());
  }
  return found;
}

/** Waits until the bars in view are as they should be there. */
async function shows(window: Window, wanted: Record<string, string>, what: string): Promise<void> {
  await until(
    async () => {
      const { lines } = await window.bars();
      const kinds = await window.kinds();
      return { wrong: lines.filter((line) => wanted[line] !== kinds[line]), lines: lines.length };
    },
    ({ wrong, lines }) => wrong.length === 0 && lines > 10,
    what,
  );
}

test('bars stand before exactly the lines that coverage.py says', async () => {
  const window = await bench.open(EXPECTED.click, [LONG]);
  const wanted = expected(LONG);
  await shows(window, wanted, 'the first page');
  const last = Math.max(...Object.keys(wanted).map(Number));
  assert.deepEqual(await allBars(window, last), wanted);
  const { percent_covered_display: percent } = EXPECTED.files[LONG]!.summary;
  assert.equal(await window.status(), `${percent} %`);
  await window.goTo(295);
  await shows(window, wanted, 'the part with everything in it');
  await window.picture('readme-dark');
});

test('bars move with an edit, what was typed has a wave, and undo brings all back', async () => {
  const window = await bench.open(EXPECTED.click, [FILE]);
  const wanted = expected(FILE);
  await shows(window, wanted, 'as measured');
  await window.goTo(41);
  await window.page.keyboard.press('Home');
  await window.page.keyboard.type('x = 1');
  await window.page.keyboard.press('Enter');
  const moved: Record<string, string> = { 41: 'edited' };
  for (const [line, kind] of Object.entries(wanted)) {
    moved[Number(line) < 41 ? line : Number(line) + 1] = kind;
  }
  await shows(window, moved, 'a line further down');
  await window.picture('edited');
  for (let presses = 0; presses < 3; presses++) {
    await window.page.keyboard.press('Control+z');
  }
  await shows(window, wanted, 'as measured again');
});

test('colours are those of the theme, or the ones the user chose', async () => {
  const window = await bench.open(EXPECTED.click, [FILE]);
  const wanted = expected(FILE);
  await shows(window, wanted, 'the first page');
  const colours = new Map(MANIFEST.contributes.colors.map(({ id, defaults }) => [id, defaults]));
  const seen = async () => {
    const { bars } = await window.bars();
    return [...new Set(Object.values(bars).map(({ kind, colour }) => `${kind} ${colour}`))].sort();
  };
  for (const [theme, kind, picture] of [
    ['Light Modern', 'light', 'readme-light'],
    ['Default High Contrast', 'highContrast', 'readme-high-contrast'],
    ['Default High Contrast Light', 'highContrastLight', 'high-contrast-light'],
  ] as const) {
    bench.settings({ 'workbench.colorTheme': theme });
    await window.reload();
    const right = ['covered', 'missing', 'partial']
      .map((state) => `${state} ${colours.get(`covls.${state}`)?.[kind] ?? ''}`)
      .join();
    await until(seen, (now) => now.join() === right, `${theme}: ${right}`);
    await shows(window, wanted, theme);
    await window.picture(picture);
  }
  bench.settings({
    'workbench.colorCustomizations': { 'covls.missing': '#123456' },
    'covls.gutter.covered': false,
    'covls.lineTint.enable': true,
  });
  await window.reload();
  const dark = colours.get('covls.partial')?.dark ?? '';
  const chosen = ['missing #123456', `partial ${dark}`];
  await until(seen, (now) => now.join() === chosen.join(), chosen.join());
  await window.picture('line-tint');
});

test('a click beside a bar sets a breakpoint, and both are to be seen', async () => {
  const window = await bench.open(EXPECTED.click, [FILE]);
  await shows(window, expected(FILE), 'as measured');
  const icon = window.page.locator('.glyph-margin-widgets .cgmr').nth(3);
  const box = (await icon.boundingBox())!;
  await window.page.mouse.click(box.x + box.width - 6, box.y + box.height / 2);
  const breakpoint = window.page.locator('.glyph-margin-widgets [class*="codicon-debug-breakpoint"]');
  await breakpoint.first().waitFor();
  await shows(window, expected(FILE), 'as measured, with a breakpoint');
  await window.picture('breakpoint');
});
