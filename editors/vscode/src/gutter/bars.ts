/**
 * The pictures before the lines. They keep to the left quarter of the margin, so that the place of
 * a breakpoint stays free, and differ in shape as well as in colour.
 */

import type { Kind } from './kinds.ts';

const SIZE = 16;
const X = 1;

/** What is drawn within 16 × 16. */
const SHAPES: Readonly<Record<Kind, (colour: string) => string>> = {
  // A thin bar: nothing to do here.
  covered: (colour) => bar(X + 1, 2, colour),
  // A broad bar.
  missing: (colour) => bar(X, 4, colour),
  // Half a bar, and steps: some ways on were taken.
  partial: (colour) => steps(4, colour),
  // The same, hollow: whether the text is the one that was measured is not known.
  unverifiedCovered: (colour) => dots(X + 1, 2, colour),
  unverifiedMissing: (colour) => frame(colour),
  unverifiedPartial: (colour) => `${half(colour)}${frame(colour)}`,
  // A wave: something else stands here than what was measured.
  edited: (colour) =>
    `<path d="M${X + 2} 0q-3 2 0 4t0 4t0 4t0 4" fill="none" stroke="${colour}" stroke-width="1.5"/>`,
};

/** The picture of a kind as SVG. */
export function picture(kind: Kind, colour: string): string {
  const shape = SHAPES[kind](colour);
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${SIZE}" height="${SIZE}"` +
    ` viewBox="0 0 ${SIZE} ${SIZE}" preserveAspectRatio="none" data-kind="${kind}">${shape}</svg>`
  );
}

/** The picture as a URI that CSS takes. */
export function pictureUri(kind: Kind, colour: string): string {
  const data = Buffer.from(picture(kind, colour)).toString('base64');
  return `data:image/svg+xml;base64,${data}`;
}

function bar(x: number, width: number, colour: string): string {
  return `<rect x="${x}" y="0" width="${width}" height="${SIZE}" fill="${colour}"/>`;
}

function steps(width: number, colour: string): string {
  const rectangles = [0, 4, 8, 12].map(
    (y, index) =>
      `<rect x="${X}" y="${y}" width="${index % 2 === 0 ? width : width / 2}" height="4" fill="${colour}"/>`,
  );
  return rectangles.join('');
}

function dots(x: number, width: number, colour: string): string {
  const rectangles = [1, 6, 11].map(
    (y) => `<rect x="${x}" y="${y}" width="${width}" height="3" fill="${colour}"/>`,
  );
  return rectangles.join('');
}

function frame(colour: string): string {
  return (
    `<path d="M${X + 0.5} 0v${SIZE}M${X + 3.5} 0v${SIZE}" fill="none"` +
    ` stroke="${colour}" stroke-width="1"/>`
  );
}

function half(colour: string): string {
  return `<rect x="${X}" y="5" width="4" height="6" fill="${colour}"/>`;
}
