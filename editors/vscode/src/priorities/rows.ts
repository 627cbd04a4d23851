/** The rows of "Test next": uncovered functions, and below each why, and what to do. */

import type { PrioritiesResult, PriorityRow } from '../protocol.ts';

/** A place to open; lines are 0-based. */
export interface Target {
  readonly uri: string;
  readonly line: number;
}

export interface Row {
  readonly label: string;
  readonly description: string;
  readonly tooltip: string;
  /** The name of a codicon. */
  readonly icon: string;
  readonly target: Target | undefined;
  readonly below: readonly Row[];
}

/** The functions, best first, and then what there is to say of the list itself. */
export function rows({ rows: found, notes }: PrioritiesResult): Row[] {
  return [...found.map(rowOf), ...notes.map((note) => line(note, 'info', undefined))];
}

/** A function that is worth a test, opened at the first line that is missing. */
export function rowOf(priority: PriorityRow): Row {
  const { uri, file, title, startLine, lines, score, reasons, advice, stale, action } = priority;
  const target = { uri, line: lines[0]?.[0] ?? startLine };
  const below = [
    line(action.words, 'lightbulb', testOf(priority)),
    ...reasons.map((reason) => line(reason, 'dash', target)),
    ...(advice === null ? [] : [line(advice, 'info', target)]),
    ...(stale ? [line('The file may not be the one that was measured.', 'history', target)] : []),
  ];
  return {
    label: title,
    description: file === title ? '' : file,
    tooltip: `${title} in ${file}, score ${score}\n${reasons.join(', ')}\n${action.words}`,
    icon: 'beaker',
    target,
    below,
  };
}

/** The test that comes nearest, or else the file for it, where that is there. */
function testOf({ action }: PriorityRow): Target | undefined {
  if (action.location !== null) {
    return { uri: action.location.uri, line: action.location.range.start.line };
  }
  return action.uri !== null && action.exists ? { uri: action.uri, line: 0 } : undefined;
}

function line(label: string, icon: string, target: Target | undefined): Row {
  return { label, description: '', tooltip: label, icon, target, below: [] };
}
