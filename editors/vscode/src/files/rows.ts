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
    .map((file) => row(file, project.folders.length > 1));
}

function row(file: FileRow, several: boolean): Row {
  const { percentText, statements, missing, missingBranches } = file.summary;
  const branches = missingBranches > 0 ? `, ${missingBranches} ${missingBranches === 1 ? 'branch' : 'branches'}` : '';
  return {
    uri: file.uri,
    name: several ? `${lastOf(file.folder)}/${file.name}` : file.name,
    figure: `${percentText} %`,
    detail: `${missing} of ${statements} statements missed${branches}${FRESHNESS[file.freshness] ?? ''}`,
    full: missed(file) === 0,
  };
}

const FRESHNESS: Readonly<Record<string, string>> = {
  edited: '; edited since it was measured',
  unverified: '; whether the text is the one measured is not known',
};

/** The name of a folder, by its URI. */
function lastOf(folder: string): string {
  return decodeURIComponent(folder.replace(/\/$/, '').split('/').at(-1) ?? '');
}

function missed(file: FileRow): number {
  return file.summary.missing + file.summary.missingBranches;
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
