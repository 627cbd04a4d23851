/** Where `scripts/test-vscode` has put things, and what coverage.py says of them. */

import { readFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';

import type { Places } from './workbench.ts';

function given(name: string): string {
  const value = process.env[`COVLS_${name}`];
  if (value === undefined) {
    throw new Error(`COVLS_${name} is not set: these tests are run by scripts/test-vscode`);
  }
  return value;
}

export const PLACES: Places = {
  codeServer: given('CODE_SERVER'),
  chromium: given('CHROMIUM'),
  extensions: given('EXTENSIONS'),
  pictures: given('PICTURES'),
  scratch: given('SCRATCH'),
};

export const PROJECTS = given('PROJECTS');

export interface Report {
  readonly summary: { readonly percent_covered: number; readonly percent_covered_display: string };
  /** The kind of the bar before each line that has one. */
  readonly bars: Readonly<Record<string, string>>;
}

export interface Expected {
  readonly click: string;
  /** The interpreter that measured all this. */
  readonly python: string;
  readonly totals: { readonly percent_covered: number; readonly percent_covered_display: string };
  readonly files: Readonly<Record<string, Report>>;
}

export const EXPECTED = JSON.parse(
  readFileSync(path.join(PROJECTS, 'expected.json'), 'utf8'),
) as Expected;

export interface Manifest {
  readonly contributes: {
    readonly colors: readonly { id: string; defaults: Readonly<Record<string, string | null>> }[];
  };
}

export const MANIFEST = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
) as Manifest;
