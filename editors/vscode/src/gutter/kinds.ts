/** Which mark is drawn how. */

import type { FileCoverageResult } from '../protocol.ts';

/** In the order of weight: what is drawn over what, should it ever meet. */
export const KINDS = [
  'covered',
  'partial',
  'missing',
  'unverifiedCovered',
  'unverifiedPartial',
  'unverifiedMissing',
  'edited',
] as const;

export type Kind = (typeof KINDS)[number];

/** First and last line, 0-based, both included. */
export type Lines = readonly [number, number];

const UNVERIFIED: Readonly<Record<string, Kind>> = {
  covered: 'unverifiedCovered',
  partial: 'unverifiedPartial',
  missing: 'unverifiedMissing',
};

/** How a mark is drawn; undefined where it is not: what is excluded needs no attention. */
export function kindOf(state: string, freshness: string): Kind | undefined {
  if (state === 'excluded') {
    return undefined;
  }
  if (freshness === 'edited' || freshness === 'new') {
    return 'edited';
  }
  if (freshness === 'unverified') {
    return UNVERIFIED[state];
  }
  return KINDS.find((kind) => kind === state);
}

/** The lines of each kind in a file. */
export function linesByKind(coverage: FileCoverageResult | undefined): Map<Kind, Lines[]> {
  const found = new Map<Kind, Lines[]>();
  for (const mark of coverage?.marks ?? []) {
    const [start, end, state, freshness] = mark as [number, number, string, string];
    const kind = kindOf(state, freshness);
    if (kind !== undefined) {
      found.set(kind, [...(found.get(kind) ?? []), [start, end]]);
    }
  }
  return found;
}

/** The lines on which something is missing: blocks of them, sorted. */
export function uncovered(coverage: FileCoverageResult | undefined): Lines[] {
  const lines = linesByKind(coverage);
  const wanted: Kind[] = ['missing', 'partial', 'unverifiedMissing', 'unverifiedPartial'];
  return wanted
    .flatMap((kind) => lines.get(kind) ?? [])
    .sort((one, other) => one[0] - other[0]);
}

/** The first block after a line, or before it; from the other end of the file if there is none. */
export function neighbour(blocks: readonly Lines[], line: number, forward: boolean): Lines | undefined {
  return forward
    ? (blocks.find((block) => block[0] > line) ?? blocks[0])
    : (blocks.findLast((block) => block[1] < line) ?? blocks.at(-1));
}
