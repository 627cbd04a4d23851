/** The command that starts the server. */

import type { Python } from './python_version.ts';

export interface Command {
  readonly program: string;
  readonly arguments: readonly string[];
  /** For the log: whose covls it is. */
  readonly words: string;
}

/** A `covls` that the user named. */
export function namedProgram(program: string): Command {
  return { program, arguments: ['serve'], words: `${program} (covls.path)` };
}

/** covls by an interpreter: the environment's own where it is wanted and there, else the bundle. */
export function byPython(python: Python, preferEnvironment: boolean, bundled: string): Command {
  const version = python.version.join('.');
  if (preferEnvironment && python.hasCovls) {
    return {
      program: python.path,
      arguments: ['-I', '-m', 'covls', 'serve'],
      words: `the environment's covls, with ${python.path} (Python ${version})`,
    };
  }
  return {
    program: python.path,
    arguments: ['-I', bundled],
    words: `the extension's covls, with ${python.path} (Python ${version})`,
  };
}
