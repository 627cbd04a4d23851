/** The rows of the side view: files by figure, the lowest first. */

import type { FileRow, ProjectCoverageResult } from '../protocol.ts';

export interface Row {
  readonly uri: string;
  readonly name: string;
  readonly figure: string;
  readonly detail: string;
  readonly full: boolean;
}

/** The files, those with most to win first: by what is missed in them, then by name. */
export function rows(project: ProjectCoverageResult): Row[] {
  return [...project.files]
    .sort((one, other) => missed(other) - missed(one) || compare(one.name, other.name))
    .map(row);
}

function row(file: FileRow): Row {
  const { percentText, statements, missing, missingBranches } = file.summary;
  const branches = missingBranches > 0 ? `, ${missingBranches} ${missingBranches === 1 ? 'branch' : 'branches'}` : '';
  return {
    uri: file.uri,
    name: file.name,
    figure: `${percentText} %`,
    detail: `${missing} of ${statements} statements missed${branches}${FRESHNESS[file.freshness] ?? ''}`,
    full: missed(file) === 0,
  };
}

const FRESHNESS: Readonly<Record<string, string>> = {
  edited: '; edited since it was measured',
  unverified: '; whether the text is the one measured is not known',
};

function missed(file: FileRow): number {
  return file.summary.missing + file.summary.missingBranches;
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
