/** The names of tests, taken apart for a tree of files and their tests. */

/** The group that a test stands in, and what it is called there. */
export interface TestPlace {
  /** A file, as pytest's node ids have it, or a dotted module. */
  readonly file: string;
  readonly name: string;
}

/**
 * `tests/test_a.py::TestB::test_c` is in its file; a dotted name, as unittest and coverage.py have
 * it, in what comes before its class, or before the last name where no class is in sight.
 */
export function placeOf(test: string): TestPlace {
  const colons = test.indexOf('::');
  if (colons > 0) {
    return { file: test.slice(0, colons), name: test.slice(colons + 2) };
  }
  if (test.includes('/') || test.endsWith('.py')) {
    return { file: test, name: '' };
  }
  const parts = test.split('.');
  const found = parts.findIndex((part, index) => index > 0 && /^[A-Z]/.test(part));
  const split = found < 0 ? parts.length - 1 : found;
  return { file: parts.slice(0, split).join('.'), name: parts.slice(split).join('.') };
}

/** Whether a group is a file that can be opened, and run by its name. */
export function isFile(group: string): boolean {
  return group.endsWith('.py');
}
