import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { BARS } from '../../src/gutter/bars.ts';
import { KINDS } from '../../src/gutter/kinds.ts';

test('no two kinds have the same shape, whatever colours can be told apart', () => {
  const shapes = KINDS.map((kind) => `${BARS[kind].width} ${BARS[kind].style}`);
  assert.equal(new Set(shapes).size, KINDS.length);
});

test('bars are so narrow that the text over them can be read', () => {
  for (const kind of KINDS) {
    assert.ok(BARS[kind].width <= 5, kind);
  }
});

type Theme = 'light' | 'dark' | 'highContrast' | 'highContrastLight';

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
      const id = `covls.${BARS[kind].colour}`;
      const colour = colors.find((one) => one.id === id)?.defaults[theme] ?? '';
      assert.ok(contrast(colour, GROUND[theme]) >= least, `${kind}: ${colour}`);
    }
  });
}
