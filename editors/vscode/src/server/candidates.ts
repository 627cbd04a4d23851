/** Where to look for the Python that runs covls, in order; free of any editor. */

import path from 'node:path';

const NAMES = ['python3', 'python', 'python3.14', 'python3.13', 'python3.12', 'python3.11'];

export interface Places {
  /** The setting `covls.interpreter`. */
  readonly set: string | undefined;
  /** What is chosen in the Python extension. */
  readonly chosen: string | undefined;
  /** The folders of the workspace. */
  readonly folders: readonly string[];
  readonly trusted: boolean;
  /** The folders of the variable PATH. */
  readonly path: readonly string[];
  readonly windows: boolean;
}

/**
 * Interpreters that may be there, the best first. A setting stands alone: whoever names a Python
 * wants to hear that it does not do. Nothing inside of a workspace that is not trusted is named.
 */
export function candidates(places: Places): string[] {
  if (places.set !== undefined) {
    return [places.set];
  }
  const suffix = places.windows ? '.exe' : '';
  const found: string[] = [];
  if (places.trusted) {
    if (places.chosen !== undefined) {
      found.push(places.chosen);
    }
    for (const folder of places.folders) {
      for (const name of ['.venv', 'venv']) {
        const program = places.windows ? ['Scripts', 'python.exe'] : ['bin', 'python'];
        found.push(path.join(folder, name, ...program));
      }
    }
  }
  for (const name of NAMES) {
    for (const folder of places.path) {
      const program = path.join(folder, name + suffix);
      if (path.isAbsolute(folder) && (places.trusted || !isInside(program, places.folders))) {
        found.push(program);
      }
    }
  }
  return [...new Set(found)];
}

/** Whether a path is in one of the folders. */
export function isInside(file: string, folders: readonly string[]): boolean {
  return folders.some((folder) => {
    const way = path.relative(folder, file);
    return !path.isAbsolute(way) && way !== '..' && !way.startsWith(`..${path.sep}`);
  });
}
