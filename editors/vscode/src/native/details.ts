/** A file's coverage as VS Code's own Test Coverage view takes it, in plain values. */

import type {
  FileCoverageResult,
  FunctionCoverage,
  MeasuredStatement,
  Summary,
} from '../protocol.ts';

export interface Count {
  readonly covered: number;
  readonly total: number;
}

export interface Statement {
  /** First and last line, 0-based. */
  readonly start: number;
  readonly end: number;
  readonly ran: boolean;
  /** The ways on from here that are counted: how many were taken, and the others in words. */
  readonly taken: number;
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

export interface Counts {
  readonly statements: Count;
  readonly branches: Count | undefined;
  readonly functions: Count;
}

/** So much of a function that no figure changes by it. */
const NEXT_TO_NOTHING = 1e-6;

/**
 * Statements and branches, whose sum is what coverage.py counts, so that the view's figure is the
 * report's. The view adds functions to it, and opens files for their functions only where it is told
 * that there are any: so they weigh next to nothing, in the file's own proportion.
 */
export function counts(summary: Summary): Counts {
  const { statements, missing, branches, missingBranches } = summary;
  const total = statements + branches;
  const covered = total - missing - missingBranches;
  return {
    statements: { covered: statements - missing, total: statements },
    branches:
      branches === 0 ? undefined : { covered: branches - missingBranches, total: branches },
    functions: {
      covered: NEXT_TO_NOTHING * (total === 0 ? 1 : covered / total),
      total: NEXT_TO_NOTHING,
    },
  };
}

/**
 * What is true of the text on screen: the view has no way to say that a line was edited. It counts
 * a function's figure from the statements and branches inside of it, so each is given once.
 */
export function details(
  coverage: FileCoverageResult,
  measured: readonly MeasuredStatement[],
): Details {
  const words = new Map<number, string[]>();
  for (const branch of coverage.branches) {
    words.set(branch.line, [...(words.get(branch.line) ?? []), branch.words]);
  }
  const statements = measured.map(({ startLine, endLine, ran, branches, missedBranches }) => ({
    start: startLine,
    end: endLine,
    ran,
    taken: branches - missedBranches,
    missed: Array.from({ length: missedBranches }, (_, index) => words.get(startLine)?.[index] ?? ''),
  }));
  return { statements, declarations: functionsOf(coverage).map((one) => declared(one, one.name)) };
}

/** What one test ran. */
export function detailsOfTest(
  coverage: FileCoverageResult,
  measured: readonly MeasuredStatement[],
): Details {
  const { statements, declarations } = details(coverage, measured);
  const ranIn = (one: Declaration) =>
    statements.some(({ start, end, ran }) => ran && start > one.start && end <= one.end);
  return { statements, declarations: declarations.map((one) => ({ ...one, ran: ranIn(one) })) };
}

/**
 * The functions alone, with their figures in their names: for the tree, where covls's own bars mark
 * the lines, and nothing is to be marked twice.
 */
export function functionsOnly(coverage: FileCoverageResult): Details {
  const declarations = functionsOf(coverage).map((one) =>
    declared(one, `${one.name}: ${one.summary.percentText} %`),
  );
  return { statements: [], declarations };
}

function functionsOf(coverage: FileCoverageResult): FunctionCoverage[] {
  return coverage.functions
    .filter((one) => one.kind === 'function' && one.freshness === 'fresh')
    .filter((one) => one.summary.statements > 0);
}

function declared(one: FunctionCoverage, name: string): Declaration {
  const ran = one.summary.missing < one.summary.statements;
  return { name, start: one.startLine, end: one.endLine, ran };
}
