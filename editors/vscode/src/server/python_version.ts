/** What an interpreter is: whether it runs, its version, and whether covls is installed in it. */

import { execFile } from 'node:child_process';

export const OLDEST = [3, 11] as const;

export interface Python {
  readonly path: string;
  readonly version: readonly number[];
  readonly hasCovls: boolean;
}

const QUESTION =
  'import json, sys, importlib.util as u;' +
  ' print(json.dumps([sys.version_info[:3], u.find_spec("covls") is not None]))';

const PATIENCE_MS = 15_000;

/** Asks an interpreter, with nothing of the current folder in its way; undefined if it fails. */
export async function ask(path: string): Promise<Python | undefined> {
  return new Promise((resolve) => {
    const options = { timeout: PATIENCE_MS, windowsHide: true };
    execFile(path, ['-I', '-c', QUESTION], options, (error, stdout) => {
      resolve(error === null ? answer(path, stdout) : undefined);
    });
  });
}

/** Reads what an interpreter answered. */
export function answer(path: string, text: string): Python | undefined {
  try {
    const [version, hasCovls] = JSON.parse(text) as [number[], boolean];
    return { path, version, hasCovls };
  } catch {
    return undefined;
  }
}

/** Whether it is new enough to run covls. */
export function isNewEnough(version: readonly number[]): boolean {
  const [major = 0, minor = 0] = version;
  return major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]);
}
