/** The view "Coverage" beside the tests: files by what is missed in them. */

import * as vscode from 'vscode';

import type { CoverageStore } from '../coverage/store.ts';
import { rows, type Row } from './rows.ts';

export class FilesView implements vscode.TreeDataProvider<Row>, vscode.Disposable {
  readonly #store: CoverageStore;
  readonly #changed = new vscode.EventEmitter<undefined>();
  readonly #view: vscode.TreeView<Row>;
  readonly #subscription: vscode.Disposable;

  readonly onDidChangeTreeData = this.#changed.event;

  constructor(store: CoverageStore) {
    this.#store = store;
    this.#view = vscode.window.createTreeView('covls.files', { treeDataProvider: this });
    this.#subscription = store.onStatus(() => this.#changed.fire(undefined));
  }

  async getChildren(parent?: Row): Promise<Row[]> {
    if (parent !== undefined) {
      return [];
    }
    const project = await this.#store.project();
    const none = project?.files.length === 0;
    void vscode.commands.executeCommand('setContext', 'covls.noData', none);
    this.#view.description =
      project === undefined || project.files.length === 0
        ? ''
        : `${project.summary.percentText} %`;
    return project === undefined ? [] : rows(project);
  }

  getTreeItem(row: Row): vscode.TreeItem {
    const uri = vscode.Uri.parse(row.uri);
    const item = new vscode.TreeItem(row.name);
    item.id = row.uri;
    item.description = row.figure;
    item.tooltip = `${row.name}: ${row.figure}, ${row.detail}`;
    item.resourceUri = uri;
    item.iconPath = new vscode.ThemeIcon(
      row.full ? 'pass' : 'circle-outline',
      new vscode.ThemeColor(row.full ? 'covls.covered' : 'covls.missing'),
    );
    item.command = { command: 'vscode.open', title: 'Open', arguments: [uri] };
    return item;
  }

  dispose(): void {
    this.#subscription.dispose();
    this.#view.dispose();
    this.#changed.dispose();
  }
}
