/** A file's coverage as VS Code's own Test Coverage view takes it, in plain values. */

import type { FileCoverageResult, Summary } from '../protocol.ts';

export interface Count {
  readonly covered: number;
  readonly total: number;
}

export interface Statement {
  /** 0-based. */
  readonly line: number;
  readonly ran: boolean;
  /** Ways on from here that no test took, in words. */
  readonly missed: readonly string[];
}

export interface Declaration {
  readonly name: string;
  readonly start: number;
  readonly end: number;
  readonly ran: boolean;
}

export interface Details {
  readonly statements: readonly Statement[];
  readonly declarations: readonly Declaration[];
}

/**
 * Statements and branches, whose sum is what coverage.py counts: so the view's figure is the
 * report's. A count of functions would make it another.
 */
export function counts(summary: Summary): { statements: Count; branches: Count | undefined } {
  const { statements, missing, branches, missingBranches } = summary;
  return {
    statements: { covered: statements - missing, total: statements },
    branches:
      branches === 0 ? undefined : { covered: branches - missingBranches, total: branches },
  };
}

/** What is true of the text on screen: the view has no way to say that a line was edited. */
export function details(coverage: FileCoverageResult): Details {
  const words = new Map<number, string[]>();
  for (const branch of coverage.branches) {
    words.set(branch.line, [...(words.get(branch.line) ?? []), branch.words]);
  }
  const statements: Statement[] = [];
  for (const mark of coverage.marks) {
    const [start, end, state, freshness] = mark as [number, number, string, string];
    if (freshness !== 'fresh' || state === 'excluded') {
      continue;
    }
    for (let line = start; line <= end; line++) {
      const missed = state === 'partial' ? (words.get(line) ?? []) : [];
      statements.push({ line, ran: state !== 'missing', missed });
    }
  }
  const declarations = coverage.functions
    .filter((one) => one.kind === 'function' && one.freshness === 'fresh')
    .filter((one) => one.summary.statements > 0)
    .map((one) => ({
      name: one.name,
      start: one.startLine,
      end: one.endLine,
      ran: one.summary.missing < one.summary.statements,
    }));
  return { statements, declarations };
}
