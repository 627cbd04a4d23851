// The shapes of covls's own messages, and the names of its settings.
// Made by `make generate` from covls/server/messages.py and covls/core/settings.py.

import type { Location, Range, TextDocumentIdentifier } from 'vscode-languageclient';

export const FILE_COVERAGE = 'covls/fileCoverage';

export const PROJECT_COVERAGE = 'covls/projectCoverage';

export const PRIORITIES = 'covls/priorities';

export const TESTS_AT = 'covls/testsAt';

export const STATEMENTS = 'covls/statements';

export const PROJECT_TESTS = 'covls/projectTests';

export const DID_CHANGE_COVERAGE = 'covls/didChangeCoverage';

export const STATUS = 'covls/status';

export const TEST_RUN = 'covls/testRun';

/** Figures of a file, a function or everything, as coverage.py counts them. */
export interface Summary {
  percent: number;
  percentText: string;
  statements: number;
  missing: number;
  excluded: number;
  branches: number;
  partialBranches: number;
  missingBranches: number;
}

/** Which file. */
export interface FileCoverageParams {
  textDocument: TextDocumentIdentifier;
}

/** A function or class, with the figures of its own lines. */
export interface FunctionCoverage {
  name: string;
  kind: string;
  startLine: number;
  endLine: number;
  freshness: string;
  summary: Summary;
}

/** A way on from a line that no test took; `target` is null for the end of a function. */
export interface BranchNotTaken {
  line: number;
  target: number | null;
  words: string;
  lost: boolean;
}

/** Lines that are not covered now, and were by an earlier run; `covered_at` is ISO 8601. */
export interface LostLines {
  startLine: number;
  endLine: number;
  tests: string[];
  coveredAt: string;
  lastRun: boolean;
}

/** What was changed since the base: lines, figures, and how many statements are in none. */
export interface PatchCoverage {
  lines: number[][];
  summary: Summary;
  stale: number;
}

/** One file, on the lines of its current text. */
export interface FileCoverageResult {
  uri: string;
  version: number | null;
  freshness: string;
  summary: Summary;
  marks: unknown[][];
  functions: FunctionCoverage[];
  branches: BranchNotTaken[];
  lost: LostLines[];
  patch: PatchCoverage | null;
}

/** Which folder; all of them where none is said. */
export interface ProjectCoverageParams {
  folder?: string | null;
  workDoneToken?: number | string | null;
}

/** One file of a project. */
export interface FileRow {
  uri: string;
  folder: string;
  name: string;
  freshness: string;
  summary: Summary;
}

/** Everything below the roots. */
export interface ProjectCoverageResult {
  folders: string[];
  summary: Summary;
  files: FileRow[];
  problems: string[];
}

/** Which folder, all of them where none is said; how many rows, and what is ranked. */
export interface PrioritiesParams {
  folder?: string | null;
  limit?: number | null;
  by?: string | null;
  patch?: boolean | null;
  workDoneToken?: number | string | null;
}

/** What a score is made of; null is not known, or not to be had. */
export interface PriorityFactors {
  statements: number;
  branches: number;
  inPatch: number;
  elsewhere: number;
  complexity: number | null;
  commits: number | null;
  weight: number;
}

/** What to do: in a sentence, in which test file, beside which test, and what to run then. */
export interface PriorityAction {
  words: string;
  uri: string | null;
  exists: boolean;
  test: string | null;
  location: Location | null;
  command: string[];
}

/** Uncovered code that is worth a test; `lines` are those that are missing. */
export interface PriorityRow {
  folder: string;
  uri: string;
  file: string;
  title: string;
  startLine: number;
  endLine: number;
  lines: number[][];
  score: number;
  factors: PriorityFactors;
  reasons: string[];
  advice: string | null;
  stale: boolean;
  action: PriorityAction;
}

/** What to test next, best first; `total` is how many rows there are in all. */
export interface PrioritiesResult {
  folders: string[];
  by: string;
  total: number;
  rows: PriorityRow[];
  notes: string[];
}

/** A place in a file. */
export interface TestsAtParams {
  textDocument: TextDocumentIdentifier;
  range: Range;
}

/** A test, and where it is written, if it was found. */
export interface TestAt {
  id: string;
  location: Location | null;
}

/** Which file, and which test, if it is about one. */
export interface StatementsParams {
  textDocument: TextDocumentIdentifier;
  test?: string | null;
}

/** A statement whose code is as it was measured, and the ways on from it that were not taken. */
export interface MeasuredStatement {
  startLine: number;
  endLine: number;
  ran: boolean;
  branches: number;
  missedBranches: number;
}

/** Which folder; all of them where none is said. */
export interface ProjectTestsParams {
  folder?: string | null;
}

/** The tests that reach a file, by their places in the list of all. */
export interface FileTests {
  uri: string;
  tests: number[];
}

/** The recorded tests of a root, and which of them reach which files. */
export interface FolderTests {
  folder: string;
  tests: string[];
  files: FileTests[];
}

/** A file whose coverage, or whose place in the text, is another now. */
export interface DidChangeCoverageParams {
  uri: string;
  version: number | null;
}

/** How far a run of covls's own is: tests that have ended, of how many, failed among them. */
export interface RunCounts {
  done: number;
  total: number;
  failed: number;
}

/** What the coverage of a root is worth. */
export interface StatusParams {
  folder: string;
  state: string;
  percent: number | null;
  percentText: string | null;
  patchPercent: number | null;
  patchPercentText: string | null;
  basePercent: number | null;
  basePercentText: string | null;
  baseCommit: string | null;
  stale: boolean;
  message: string;
  python: string | null;
  tests: string | null;
  run: RunCounts | null;
}

/** How a test ended; `details` are its traceback, or what else there is to read. */
export interface TestResult {
  test: string;
  outcome: string;
  seconds: number;
  message: string;
  details: string;
  location: Location | null;
}

/** What happened in a run of covls's own since it was last told of. */
export interface TestRunParams {
  folder: string;
  run: number;
  title: string;
  state: string;
  tests: string[];
  started: string[];
  finished: TestResult[];
  message: string;
}

/** What covls itself can be set to; all else under `covls` is the extension's. */
export const SERVER_SETTINGS = [
  'enable',
  'python',
  'dataFile',
  'roots',
  'diagnostics.enable',
  'diagnostics.severity',
  'diagnostics.partial',
  'diagnostics.lostSeverity',
  'diagnostics.stale',
  'diagnostics.patchSeverity',
  'editor.scope',
  'editor.base',
  'hover.enable',
  'lens.enable',
  'hints.enable',
  'watch.mode',
  'watch.settle',
  'cache.maxMb',
  'ledger.maxMb',
  'ledger.maxDays',
  'run.onSave',
  'run.command',
  'run.arguments',
  'run.timeout',
  'run.workers',
  'run.unread',
  'share.url',
  'share.show',
  'share.maxMb',
  'gates.total',
  'gates.patch',
  'gates.minPatch',
  'gates.changedFiles',
  'gates.newFiles',
  'gates.paths',
  'gates.maxDrop',
  'gates.baseReport',
  'gates.noBase',
  'gates.ratchet',
  'history.url',
  'alerts.branches',
  'alerts.drop',
  'alerts.variable',
  'alerts.timeout',
  'alerts.required',
  'priorities',
] as const;
