/** What is run for the items that somebody chose. */

import { isFile } from './test_names.ts';

/** A folder, a file of tests in it, or a test, with those below it. */
export interface Node {
  readonly folder: string;
  readonly file?: string;
  readonly test?: string;
  readonly children: readonly Node[];
}

/** Tests of a folder; undefined: all of them. */
export interface Wanted {
  readonly folder: string;
  readonly tests: readonly string[] | undefined;
}

/**
 * The tests of each folder that are to run, by names that the runner knows. A whole file goes by
 * its own name, so that tests nobody has seen yet run, too.
 */
export function chosen(include: readonly Node[], exclude: ReadonlySet<Node>): Wanted[] {
  const byFolder = new Map<string, string[] | undefined>();
  for (const node of include) {
    const names = namesOf(node, exclude);
    const before = byFolder.has(node.folder) ? byFolder.get(node.folder) : [];
    byFolder.set(
      node.folder,
      names === undefined || before === undefined ? undefined : [...before, ...names],
    );
  }
  return [...byFolder]
    .filter(([, tests]) => tests === undefined || tests.length > 0)
    .map(([folder, tests]) => ({ folder, tests: tests && [...new Set(tests)] }));
}

function namesOf(node: Node, exclude: ReadonlySet<Node>): string[] | undefined {
  if (exclude.has(node)) {
    return [];
  }
  if (node.test !== undefined) {
    return [node.test];
  }
  const whole = !someBelow(node, exclude);
  if (whole && node.file === undefined) {
    return undefined;
  }
  if (whole && node.file !== undefined && isFile(node.file)) {
    return [node.file];
  }
  return node.children.flatMap((child) => namesOf(child, exclude) ?? []);
}

function someBelow(node: Node, exclude: ReadonlySet<Node>): boolean {
  return node.children.some((child) => exclude.has(child) || someBelow(child, exclude));
}
