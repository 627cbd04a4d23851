/**
 * The bars before the lines: each a border at the left edge of the text. The margin is left free, for
 * VS Code sets no breakpoint by a click on a line where an extension has put a picture. The kinds
 * differ in shape as well as in colour.
 */

import type { Kind } from './kinds.ts';

export interface Bar {
  /** In pixels. */
  readonly width: number;
  /** As in CSS. */
  readonly style: 'solid' | 'dashed' | 'dotted' | 'double';
  readonly colour: 'covered' | 'missing' | 'partial' | 'edited';
}

export const BARS: Readonly<Record<Kind, Bar>> = {
  // Thin: nothing to do here.
  covered: { width: 2, style: 'solid', colour: 'covered' },
  missing: { width: 4, style: 'solid', colour: 'missing' },
  // Interrupted: some ways on were taken.
  partial: { width: 4, style: 'dashed', colour: 'partial' },
  // Hollow: whether the text is the one that was measured is not known.
  unverifiedCovered: { width: 3, style: 'double', colour: 'covered' },
  unverifiedMissing: { width: 5, style: 'double', colour: 'missing' },
  unverifiedPartial: { width: 2, style: 'dashed', colour: 'partial' },
  // Something else stands here than what was measured.
  edited: { width: 3, style: 'dotted', colour: 'edited' },
};
