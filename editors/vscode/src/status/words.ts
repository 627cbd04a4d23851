/** What the status bar says. */

import type { FileCoverageResult, RunCounts, StatusParams } from '../protocol.ts';

export interface Words {
  readonly text: string;
  readonly tooltip: string;
  /** Whether it wants attention. */
  readonly warning: boolean;
}

/** The words for a root and the file on screen; both may be unknown. `problem`: no server. */
export function words(
  status: StatusParams | undefined,
  file: FileCoverageResult | undefined,
  problem: string | undefined,
): Words {
  if (problem !== undefined) {
    return { text: '$(error) covls', tooltip: problem, warning: true };
  }
  if (status === undefined) {
    return { text: '$(loading~spin) covls', tooltip: 'covls is starting', warning: false };
  }
  const tooltip = tooltipOf(status, file);
  switch (status.state) {
    case 'noData':
      return { text: '$(circle-slash) no coverage', tooltip, warning: false };
    case 'error':
      return { text: '$(error) coverage', tooltip, warning: true };
  }
  const icon = status.state === 'running' ? '$(sync~spin)' : status.stale ? '$(history)' : '$(beaker)';
  const figure = file?.summary.percentText ?? status.percentText;
  const parts = [figure === null ? 'coverage' : `${figure} %`];
  if (status.patchPercentText !== null) {
    parts.push(`patch ${status.patchPercentText} %`);
  }
  if (status.run !== null) {
    parts.push(...progress(status.run));
  }
  return { text: `${icon} ${parts.join(' · ')}`, tooltip, warning: false };
}

/** How far a run of covls's own is. */
function progress({ done, total, failed }: RunCounts): string[] {
  const counted = total === 0 ? 'collecting tests' : `${done} of ${total} tests`;
  return failed === 0 ? [counted] : [counted, `${failed} failed`];
}

function tooltipOf(status: StatusParams, file: FileCoverageResult | undefined): string {
  const lines: string[] = [];
  if (file !== undefined) {
    const { percentText, statements, missing, partialBranches } = file.summary;
    const partly = partialBranches > 0 ? `, ${partialBranches} partly` : '';
    lines.push(`This file: ${percentText} %, ${missing} of ${statements} statements missed${partly}`);
  }
  if (status.percentText !== null) {
    lines.push(`Project: ${status.percentText} %`);
  }
  if (status.patchPercentText !== null) {
    lines.push(`Patch: ${status.patchPercentText} %`);
  }
  if (status.basePercentText !== null && status.baseCommit !== null) {
    lines.push(`Base: ${status.basePercentText} % at ${status.baseCommit.slice(0, 7)}`);
  }
  lines.push(STATES[status.state] ?? status.state);
  if (status.message !== '') {
    lines.push(status.message);
  }
  if (status.run !== null) {
    lines.push('Click to cancel the run.');
  }
  return lines.join('\n');
}

const STATES: Readonly<Record<string, string>> = {
  ok: 'What is shown is true of the text on screen.',
  stale: 'Some of the text is not what was measured.',
  running: 'A test run is writing the data.',
  noData: 'There is no coverage data yet.',
  error: 'The coverage data cannot be read.',
};
