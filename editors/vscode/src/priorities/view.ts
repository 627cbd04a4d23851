/** The view "Test Next" beside the tests: uncovered code by what testing it would bring. */

import * as vscode from 'vscode';

import type { CoverageStore } from '../coverage/store.ts';
import { rows, type Row } from './rows.ts';

export class PrioritiesView implements vscode.TreeDataProvider<Row>, vscode.Disposable {
  readonly #store: CoverageStore;
  readonly #changed = new vscode.EventEmitter<undefined>();
  readonly #view: vscode.TreeView<Row>;
  readonly #subscription: vscode.Disposable;

  readonly onDidChangeTreeData = this.#changed.event;

  constructor(store: CoverageStore) {
    this.#store = store;
    this.#view = vscode.window.createTreeView('covls.priorities', { treeDataProvider: this });
    this.#subscription = store.onStatus((status) => {
      if (status?.state !== 'running') {
        this.#changed.fire(undefined);
      }
    });
  }

  /** VS Code asks for rows only while the view is on screen: nothing is ranked for nobody. */
  async getChildren(parent?: Row): Promise<Row[]> {
    return parent === undefined ? this.#rows() : [...parent.below];
  }

  getTreeItem(row: Row): vscode.TreeItem {
    const state =
      row.below.length > 0
        ? vscode.TreeItemCollapsibleState.Collapsed
        : vscode.TreeItemCollapsibleState.None;
    const item = new vscode.TreeItem(row.label, state);
    item.description = row.description;
    item.tooltip = row.tooltip;
    item.iconPath = new vscode.ThemeIcon(row.icon);
    if (row.target !== undefined) {
      const { uri, line } = row.target;
      const selection = new vscode.Range(line, 0, line, 0);
      item.command = {
        command: 'vscode.open',
        title: 'Open',
        arguments: [vscode.Uri.parse(uri), { selection, preview: true }],
      };
    }
    return item;
  }

  dispose(): void {
    this.#subscription.dispose();
    this.#view.dispose();
    this.#changed.dispose();
  }

  async #rows(): Promise<Row[]> {
    const found = await this.#store.priorities();
    return found === undefined ? [] : rows(found);
  }
}
