import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { picture } from '../../src/gutter/bars.ts';
import { barColour, colourOf, type Colour, type Theme } from '../../src/gutter/colours.ts';
import { KINDS } from '../../src/gutter/kinds.ts';

test('no two kinds have the same shape, whatever colours can be told apart', () => {
  const shapes = KINDS.map((kind) =>
    picture(kind, '#000000').replace(/data-kind="\w+"/, ''),
  );
  assert.equal(new Set(shapes).size, KINDS.length);
});

test('every shape leaves the place of a breakpoint free', () => {
  for (const kind of KINDS) {
    for (const [, x, width] of picture(kind, '#000000').matchAll(/x="([\d.]+)"[^>]*?width="([\d.]+)"/g)) {
      assert.ok(Number(x) + Number(width) <= 5, kind);
    }
  }
});

interface Manifest {
  contributes: { colors: { id: string; defaults: Record<Theme, string | null> }[] };
}

const { colors } = (
  JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as Manifest
).contributes;

const GROUND: Record<Theme, string> = {
  light: '#ffffff',
  dark: '#1f1f1f',
  highContrast: '#000000',
  highContrastLight: '#ffffff',
};

/** The contrast of two colours, from 1 to 21, as WCAG 2 counts it. */
function contrast(one: string, other: string): number {
  const [light = 0, dark = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

for (const theme of Object.keys(GROUND) as Theme[]) {
  test(`colours stand out from the ground: ${theme}`, () => {
    const least = theme.startsWith('highContrast') ? 4.5 : 3;
    for (const kind of KINDS) {
      const colour = barColour(colourOf(kind), theme, '', colors, {});
      assert.ok(contrast(colour, GROUND[theme]) >= least, `${kind}: ${colour}`);
    }
  });
}

test('the user has the last word, and the theme before all themes', () => {
  const said = { 'covls.missing': '#111111', '[Monokai][Solar*]': { 'covls.missing': '#222222' } };
  const of = (name: string, colour: Colour = 'missing') =>
    barColour(colour, 'dark', name, colors, said);
  assert.equal(of('Default Dark'), '#111111');
  assert.equal(of('Monokai'), '#222222');
  assert.equal(of('Solarized Light'), '#222222');
  assert.equal(of('Monokai', 'covered'), '#4ac96f');
});

test('what is no colour does not get into the picture', () => {
  const said = { 'covls.missing': '"/><script>' };
  assert.equal(barColour('missing', 'dark', '', colors, said), '#ff6b68');
});
