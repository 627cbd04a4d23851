/** The colours of the bars: those of the theme's kind, or what the user put in their place. */

import type { Kind } from './kinds.ts';

export type Theme = 'light' | 'dark' | 'highContrast' | 'highContrastLight';
export type Colour = 'covered' | 'missing' | 'partial' | 'edited';

/** Which colour a kind has; unverified ones differ in shape. */
export function colourOf(kind: Kind): Colour {
  switch (kind) {
    case 'covered':
    case 'unverifiedCovered':
      return 'covered';
    case 'missing':
    case 'unverifiedMissing':
      return 'missing';
    case 'partial':
    case 'unverifiedPartial':
      return 'partial';
    case 'edited':
      return 'edited';
  }
}

interface Contributed {
  readonly id: string;
  readonly defaults: Readonly<Record<Theme, string | null>>;
}

/**
 * The colour of a bar. VS Code gives a picture no colour of the theme, so it is read where it was
 * contributed, with the user's `workbench.colorCustomizations` over it: for the theme, or for all.
 */
export function barColour(
  colour: Colour,
  theme: Theme,
  themeName: string,
  contributed: readonly Contributed[],
  customizations: Readonly<Record<string, unknown>>,
): string {
  const id = `covls.${colour}`;
  const said = [forTheme(customizations, themeName)?.[id], customizations[id]];
  const set = said.find((one) => typeof one === 'string' && /^#[0-9a-f]{3,8}$/i.test(one));
  const known = contributed.find((one) => one.id === id)?.defaults[theme];
  return (set as string | undefined) ?? known ?? '#808080';
}

/** The customizations of one theme: `[Name]`, or several names in brackets, with `*` in them. */
function forTheme(
  customizations: Readonly<Record<string, unknown>>,
  name: string,
): Record<string, unknown> | undefined {
  for (const [key, values] of Object.entries(customizations)) {
    const names = [...key.matchAll(/\[([^\]]+)\]/g)].map((found) => found[1] ?? '');
    if (names.some((pattern) => matches(pattern, name)) && isRecord(values)) {
      return values;
    }
  }
  return undefined;
}

function matches(pattern: string, name: string): boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[.+?^${}()|\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`).test(name);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
