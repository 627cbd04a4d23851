/** What is drawn before the lines, on click with real data: where, in which colours, and how it moves. */

import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';

import { EXPECTED, MANIFEST, PLACES } from './places.ts';
import { until, Workbench, type Window } from './workbench.ts';

const bench = new Workbench(PLACES);
const FILE = 'src/click/globals.py';
const LONG = 'src/click/parser.py';
/** A line of it with bars of all kinds around it. */
const PLACE = 109;

before(() => bench.start());
afterEach((context) => bench.tidy(context));
after(() => bench.stop());

type Kinds = Readonly<Record<string, string>>;

function expected(file: string): Kinds {
  return EXPECTED.files[file]!.bars;
}

/** Waits until the bars in view are as they should be there, and returns the lines in view. */
async function shows(window: Window, wanted: Kinds, what: string): Promise<number[]> {
  const { lines } = await until(
    async () => {
      const { lines, bars } = await window.bars();
      return { lines, wrong: lines.filter((line) => wanted[line] !== bars[line]?.kind) };
    },
    ({ wrong, lines }) => wrong.length === 0 && lines.length > 10,
    what,
  );
  return lines;
}

test('bars stand before exactly the lines that coverage.py says', async () => {
  bench.shows('marks', 'status');
  const window = await bench.open(EXPECTED.click, LONG);
  const wanted = expected(LONG);
  const last = Math.max(...Object.keys(wanted).map(Number));
  await window.height(2000);
  const seen = new Set<number>();
  for (let line = 1; line < last + 40; line += 40) {
    await window.goTo(Math.min(line, last));
    const lines = await shows(window, wanted, `the lines around ${line}`);
    lines.forEach((one) => seen.add(one));
  }
  const unseen = Object.keys(wanted).filter((line) => !seen.has(Number(line)));
  assert.deepEqual(unseen, []);
  await window.height();
  const { percent_covered_display: percent } = EXPECTED.files[LONG]!.summary;
  assert.equal(await window.status(), `${percent} %`);
  await window.goTo(PLACE);
  await shows(window, wanted, 'the part with everything in it');
  await window.picture('readme-dark');
});

test('bars move with an edit, what was typed has dots, and undo brings all back', async () => {
  bench.shows('moving');
  const window = await bench.open(EXPECTED.click, FILE);
  const wanted = expected(FILE);
  await window.goTo(41);
  await shows(window, wanted, 'as measured');
  await window.page.keyboard.press('Home');
  await window.page.keyboard.type('x = 1');
  await window.page.keyboard.press('Enter');
  const moved: Record<string, string> = { 41: 'edited' };
  for (const [line, kind] of Object.entries(wanted)) {
    moved[Number(line) < 41 ? line : Number(line) + 1] = kind;
  }
  await shows(window, moved, 'a line further down');
  await window.picture('edited');
  await until(
    async () => {
      await window.page.keyboard.press('Control+z');
      return window.page.locator('.tab.dirty').count();
    },
    (dirty) => dirty === 0,
    'all edits are undone',
  );
  await shows(window, wanted, 'as measured again');
});

test('a click in the margin of a marked line sets a breakpoint, and another takes it away', async () => {
  const window = await bench.open(EXPECTED.click, FILE);
  const wanted = expected(FILE);
  await window.goTo(41);
  await shows(window, wanted, 'as measured');
  const place = await window.marginOf(41);
  const breakpoint = window.page.locator('.glyph-margin-widgets .codicon-debug-breakpoint');
  await window.page.mouse.click(place.x, place.y);
  await breakpoint.first().waitFor();
  await shows(window, wanted, 'as measured, with a breakpoint');
  await window.picture('breakpoint');
  await window.page.mouse.click(place.x, place.y);
  await breakpoint.first().waitFor({ state: 'detached' });
});

test('colours are those of the theme, which may change, or the ones the user chose', async () => {
  // A window of its own: the theme that is picked stands in the settings then.
  bench.settings({});
  const window = await bench.open(EXPECTED.click, LONG);
  const wanted = expected(LONG);
  await window.goTo(PLACE);
  await shows(window, wanted, 'in the dark theme');
  const colours = new Map(MANIFEST.contributes.colors.map(({ id, defaults }) => [id, defaults]));
  const colour = (state: string, kind: string) => colours.get(`covls.${state}`)?.[kind] ?? '';
  const seen = async () => {
    const { bars } = await window.bars();
    return [...new Set(Object.values(bars).map(({ kind, colour }) => `${kind} ${colour}`))].sort();
  };
  const states = ['covered', 'missing', 'partial'];
  for (const [theme, kind, picture] of [
    ['Light Modern', 'light', 'light'],
    ['Dark High Contrast', 'highContrast', 'readme-high-contrast'],
    ['Light High Contrast', 'highContrastLight', 'high-contrast-light'],
    ['Dark Modern', 'dark', 'dark'],
  ] as const) {
    await window.theme(theme);
    const right = states.map((state) => `${state} ${colour(state, kind)}`).join();
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
  const chosen = ['missing #123456', `partial ${colour('partial', 'dark')}`];
  await until(seen, (now) => now.join() === chosen.join(), chosen.join());
  await window.picture('line-tint');
});
