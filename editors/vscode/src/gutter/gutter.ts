/** Bars before the lines, marks beside the scroll bar, and a tint of the lines where wanted. */

import * as vscode from 'vscode';

import type { CoverageStore } from '../coverage/store.ts';
import { BARS } from './bars.ts';
import { KINDS, linesByKind, type Kind } from './kinds.ts';

/** In these settings' names stands all that the look depends on. */
const LOOKS = ['covls.gutter', 'covls.overviewRuler', 'covls.lineTint'];

export class Gutter implements vscode.Disposable {
  readonly #store: CoverageStore;
  readonly #subscriptions: vscode.Disposable[];
  #types = new Map<Kind, vscode.TextEditorDecorationType>();

  constructor(store: CoverageStore) {
    this.#store = store;
    this.#subscriptions = [
      store.onFile((uri) => {
        for (const editor of vscode.window.visibleTextEditors) {
          if (editor.document.uri.toString() === uri.toString()) {
            this.#draw(editor);
          }
        }
      }),
      vscode.window.onDidChangeVisibleTextEditors(() => this.#drawAll()),
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (LOOKS.some((name) => event.affectsConfiguration(name))) {
          this.#renew();
        }
      }),
    ];
    this.#renew();
  }

  dispose(): void {
    for (const one of [...this.#subscriptions, ...this.#types.values()]) {
      one.dispose();
    }
  }

  #renew(): void {
    for (const type of this.#types.values()) {
      type.dispose();
    }
    this.#types = new Map(KINDS.map((kind) => [kind, this.#type(kind)]));
    this.#drawAll();
  }

  #drawAll(): void {
    for (const editor of vscode.window.visibleTextEditors) {
      this.#draw(editor);
    }
  }

  #draw(editor: vscode.TextEditor): void {
    if (editor.document.uri.scheme !== 'file') {
      return;
    }
    const lines = linesByKind(this.#store.file(editor.document.uri));
    for (const [kind, type] of this.#types) {
      const ranges = (lines.get(kind) ?? []).map(
        ([start, end]) => new vscode.Range(start, 0, end, 0),
      );
      editor.setDecorations(type, ranges);
    }
  }

  #type(kind: Kind): vscode.TextEditorDecorationType {
    const settings = vscode.workspace.getConfiguration('covls');
    const on = (name: string) => settings.get(name) === true;
    const { width, style, colour } = BARS[kind];
    const options: vscode.DecorationRenderOptions = {
      isWholeLine: true,
      // What is typed at the end of a block belongs to it until the server says otherwise.
      rangeBehavior: vscode.DecorationRangeBehavior.ClosedClosed,
    };
    if (on('gutter.enable') && (colour !== 'covered' || on('gutter.covered'))) {
      options.borderWidth = `0 0 0 ${width}px`;
      options.borderStyle = style;
      options.borderColor = new vscode.ThemeColor(`covls.${colour}`);
    }
    if (on('overviewRuler.enable') && (colour === 'missing' || colour === 'partial')) {
      options.overviewRulerColor = new vscode.ThemeColor(`covls.${colour}`);
      options.overviewRulerLane = vscode.OverviewRulerLane.Left;
    }
    if (on('lineTint.enable') && colour !== 'covered') {
      options.backgroundColor = new vscode.ThemeColor(`covls.${colour}LineBackground`);
    }
    return vscode.window.createTextEditorDecorationType(options);
  }
}
