/** coverage.py's HTML report, in the browser or in a panel. */

import { readFile } from 'node:fs/promises';
import path from 'node:path';

import * as vscode from 'vscode';

import { inPanel, isPage, targetOf } from './target.ts';

export class Report implements vscode.Disposable {
  #panel: vscode.WebviewPanel | undefined;
  #folder = '';

  /** Opens a page of the report; false if it is to be opened as everything else. */
  async open(uri: vscode.Uri): Promise<boolean> {
    const setting = vscode.workspace.getConfiguration('covls').get<string>('report.open');
    const remote =
      vscode.env.remoteName !== undefined || vscode.env.uiKind === vscode.UIKind.Web;
    if (uri.scheme !== 'file' || !uri.path.endsWith('.html')) {
      return false;
    }
    if (targetOf(setting, remote) === 'browser') {
      return false;
    }
    await this.#show(path.dirname(uri.fsPath), path.basename(uri.fsPath), uri.fragment);
    return true;
  }

  dispose(): void {
    this.#panel?.dispose();
  }

  async #show(folder: string, page: string, anchor: string): Promise<void> {
    const text = await readFile(path.join(folder, page), 'utf8');
    const panel = this.#panelFor(folder);
    const base = panel.webview.asWebviewUri(vscode.Uri.file(folder)).toString();
    // The same text twice would not be loaded again, and so not lead to another place in it.
    panel.webview.html = '';
    panel.webview.html = inPanel(text, base, panel.webview.cspSource, anchor);
    panel.reveal(undefined, true);
  }

  #panelFor(folder: string): vscode.WebviewPanel {
    if (this.#panel !== undefined && this.#folder === folder) {
      return this.#panel;
    }
    this.#panel?.dispose();
    const panel = vscode.window.createWebviewPanel(
      'covls.report',
      'Coverage report',
      { viewColumn: vscode.ViewColumn.Beside, preserveFocus: true },
      { enableScripts: true, localResourceRoots: [vscode.Uri.file(folder)] },
    );
    panel.webview.onDidReceiveMessage((href: unknown) => {
      if (typeof href === 'string' && isPage(href)) {
        const [page = '', anchor = ''] = href.split('#');
        void this.#show(folder, page, anchor);
      } else if (typeof href === 'string' && /^https?:/.test(href)) {
        void vscode.env.openExternal(vscode.Uri.parse(href));
      }
    });
    panel.onDidDispose(() => {
      if (this.#panel === panel) {
        this.#panel = undefined;
      }
    });
    this.#panel = panel;
    this.#folder = folder;
    return panel;
  }
}
