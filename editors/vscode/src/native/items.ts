/** The tests in VS Code's Test Explorer: those that were recorded, and those that a run had. */

import * as vscode from 'vscode';

import type { FolderTests } from '../protocol.ts';
import { chosen, type Node, type Wanted } from './chosen.ts';
import { isFile, placeOf } from './test_names.ts';

export class TestItems {
  readonly #controller: vscode.TestController;
  readonly #names = new WeakMap<vscode.TestItem, Omit<Node, 'children'>>();

  constructor(controller: vscode.TestController) {
    this.#controller = controller;
  }

  /** The item of a test, or of a file that stands for its tests; made where there is none. */
  at(folder: string, test: string): vscode.TestItem {
    const { file, name } = placeOf(test);
    const group = this.#child(this.#folder(folder).children, { folder, file });
    return name === '' ? group : this.#child(group.children, { folder, file, test });
  }

  /** The test of an item, if it is one. */
  testOf(item: vscode.TestItem): string | undefined {
    return this.#names.get(item)?.test;
  }

  /** Takes in what was recorded, and drops what is neither that nor among `ran`. */
  show(all: readonly FolderTests[], ran: ReadonlyMap<string, ReadonlySet<string>>): void {
    const wanted = new Set<vscode.TestItem>();
    for (const { folder, tests } of all) {
      for (const test of tests) {
        wanted.add(this.at(folder, test));
      }
    }
    for (const [, top] of [...this.#controller.items]) {
      for (const [, group] of [...top.children]) {
        for (const [, item] of [...group.children]) {
          const { folder, test } = this.#names.get(item) ?? {};
          const known = folder !== undefined && ran.get(folder)?.has(test ?? '') === true;
          if (!wanted.has(item) && !known) {
            group.children.delete(item.id);
          }
        }
        if (group.children.size === 0) {
          top.children.delete(group.id);
        }
      }
      if (top.children.size === 0) {
        this.#controller.items.delete(top.id);
      }
    }
  }

  /** What is to run for a request; undefined: everything. */
  wanted(request: vscode.TestRunRequest): Wanted[] | undefined {
    const include = request.include ?? [...this.#controller.items].map(([, item]) => item);
    const exclude = new Set(request.exclude);
    if (request.include === undefined && exclude.size === 0) {
      return undefined;
    }
    const excluded = new Set<Node>();
    const node = (item: vscode.TestItem): Node => {
      const children = [...item.children].map(([, child]) => node(child));
      const made = { folder: '', ...this.#names.get(item), children };
      if (exclude.has(item)) {
        excluded.add(made);
      }
      return made;
    };
    return chosen(include.map(node), excluded);
  }

  #folder(folder: string): vscode.TestItem {
    return this.#child(this.#controller.items, { folder });
  }

  #child(
    items: vscode.TestItemCollection,
    names: Omit<Node, 'children'>,
  ): vscode.TestItem {
    const { folder, file, test } = names;
    const id = test ?? file ?? folder;
    const known = items.get(id);
    if (known !== undefined) {
      return known;
    }
    const at = vscode.Uri.parse(folder);
    const uri = file === undefined ? at : isFile(file) ? vscode.Uri.joinPath(at, file) : undefined;
    const label =
      test !== undefined ? placeOf(test).name : (file ?? at.path.split('/').at(-1) ?? folder);
    const item = this.#controller.createTestItem(id, label, uri);
    this.#names.set(item, names);
    items.add(item);
    return item;
  }
}
