/** The item in the status bar. */

import * as vscode from 'vscode';

import type { CoverageStore } from '../coverage/store.ts';
import { words } from './words.ts';

export class StatusBar implements vscode.Disposable {
  readonly #store: CoverageStore;
  readonly #item: vscode.StatusBarItem;
  readonly #subscriptions: vscode.Disposable[];
  #problem: string | undefined;

  constructor(store: CoverageStore) {
    this.#store = store;
    this.#item = vscode.window.createStatusBarItem('covls', vscode.StatusBarAlignment.Right, 90);
    this.#item.name = 'covls: coverage';
    this.#item.command = 'covls.command.showMenu';
    const show = () => this.#show();
    this.#subscriptions = [
      store.onFile(show),
      store.onStatus(show),
      vscode.window.onDidChangeActiveTextEditor(show),
      vscode.workspace.onDidChangeConfiguration(show),
    ];
    this.#show();
  }

  /** Says why there is no server; undefined: there is one. */
  set problem(problem: string | undefined) {
    this.#problem = problem;
    this.#show();
  }

  dispose(): void {
    for (const one of [...this.#subscriptions, this.#item]) {
      one.dispose();
    }
  }

  #show(): void {
    if (vscode.workspace.getConfiguration('covls').get('statusBar.enable') !== true) {
      this.#item.hide();
      return;
    }
    const uri = vscode.window.activeTextEditor?.document.uri;
    const file = uri === undefined ? undefined : this.#store.file(uri);
    const status = this.#store.statusAt(uri) ?? this.#store.statuses[0];
    const said = words(status, file, this.#problem);
    this.#item.text = said.text;
    const restricted = vscode.workspace.isTrusted
      ? ''
      : '\n\nRestricted Mode: coverage is shown, and no tests are run.';
    this.#item.tooltip = said.tooltip + restricted;
    this.#item.backgroundColor = said.warning
      ? new vscode.ThemeColor('statusBarItem.warningBackground')
      : undefined;
    this.#item.accessibilityInformation = {
      label: `coverage: ${said.text.replace(/\$\([^)]*\) ?/g, '')}`,
    };
    this.#item.show();
  }
}
