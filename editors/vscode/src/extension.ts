/** The extension put together. What it does stands in the files it imports. */

import * as vscode from 'vscode';

import { registerCommands } from './commands.ts';
import { CoverageStore } from './coverage/store.ts';
import { FilesView } from './files/view.ts';
import { Gutter } from './gutter/gutter.ts';
import { NativeView } from './native/view.ts';
import { PrioritiesView } from './priorities/view.ts';
import { Report } from './report/report.ts';
import { onChosen } from './server/interpreter.ts';
import { Server } from './server/server.ts';
import { StatusBar } from './status/bar.ts';

/** The settings that a running server cannot take over. */
const STARTS_ANEW = ['covls.interpreter', 'covls.importStrategy', 'covls.path'];

let running: Server | undefined;

export function activate(context: vscode.ExtensionContext): void {
  const report = new Report();
  const store = new CoverageStore();
  const server = new Server(context, {
    window: {
      showDocument: async (params, token, next) => {
        const opened =
          params.external === true && (await report.open(vscode.Uri.parse(params.uri)));
        return opened ? { success: true } : next(params, token);
      },
    },
  });
  const bar = new StatusBar(store);
  running = server;
  context.subscriptions.push(
    report,
    store,
    server,
    bar,
    new Gutter(store),
    new FilesView(store),
    new PrioritiesView(store),
    new NativeView(store, server),
    server.onStart((client) => {
      bar.problem = undefined;
      store.attach(client);
    }),
    server.onStop((why) => {
      store.clear();
      bar.problem = why;
    }),
    store.onStatus((status) => {
      if (status !== undefined) {
        bar.problem = undefined;
      }
    }),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (STARTS_ANEW.some((name) => event.affectsConfiguration(name))) {
        void server.restart();
      }
    }),
    vscode.workspace.onDidGrantWorkspaceTrust(() => void server.restart()),
  );
  registerCommands(context, server, store);
  void vscode.commands.executeCommand('setContext', 'covls.active', true);
  // Nobody waits for the server: what it finds is shown when it comes.
  void server.restart();
  void onChosen(() => void server.takePython()).then((subscription) => {
    if (subscription !== undefined) {
      context.subscriptions.push(subscription);
    }
  });
}

export async function deactivate(): Promise<void> {
  await running?.stop();
}
