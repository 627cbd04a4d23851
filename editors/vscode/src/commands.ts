/** The commands "covls: …": what the server does, at the place where the user is. */

import * as vscode from 'vscode';

import type { CoverageStore } from './coverage/store.ts';
import { neighbour, uncovered } from './gutter/kinds.ts';
import { showMenu } from './menu.ts';
import { ask } from './server/ask.ts';
import type { Server } from './server/server.ts';

type Here = (editor: vscode.TextEditor) => unknown[];

const uriOf: Here = (editor) => [editor.document.uri.toString()];
const atLine: Here = (editor) => [...uriOf(editor), editor.selection.active.line];
const atLines: Here = (editor) => [
  ...uriOf(editor),
  editor.selection.start.line,
  editor.selection.end.line,
];

/** The server's commands that are about a place in a file, each with what it is given. */
const AT_EDITOR: Readonly<Record<string, Here>> = {
  explain: atLine,
  goToTests: atLines,
  createTest: atLine,
  excludeLines: atLines,
  runFile: uriOf,
  runAtCursor: atLines,
};

/** And those that are about everything. */
const ANYWHERE = ['toggle', 'refresh', 'runAffected', 'runAll', 'cancelRun', 'showPriorities'];

export function registerCommands(
  context: vscode.ExtensionContext,
  server: Server,
  store: CoverageStore,
): void {
  const register = (name: string, run: (...given: unknown[]) => unknown) => {
    const command = vscode.commands.registerCommand(`covls.command.${name}`, run);
    context.subscriptions.push(command);
  };
  for (const [name, here] of Object.entries(AT_EDITOR)) {
    register(name, async () => {
      const editor = vscode.window.activeTextEditor;
      if (editor !== undefined) {
        await ask(server, `covls.${name}`, here(editor));
      }
    });
  }
  for (const name of ANYWHERE) {
    register(name, () => ask(server, `covls.${name}`, []));
  }
  register('openReport', () => ask(server, 'covls.openReport', reportPlace()));
  register('nextUncovered', () => goTo(store, true));
  register('previousUncovered', () => goTo(store, false));
  register('showMenu', () => showMenu(store));
  register('showLog', () => server.log.show());
  register('restart', () => server.restart());
  register('selectInterpreter', selectInterpreter);
}

/** The line on screen, or a folder of the workspace, where it stands alone. */
function reportPlace(): unknown[] {
  const editor = vscode.window.activeTextEditor;
  if (editor?.document.uri.scheme === 'file') {
    return atLine(editor);
  }
  const folder = vscode.workspace.workspaceFolders?.[0];
  return folder === undefined ? [] : [folder.uri.toString()];
}

function goTo(store: CoverageStore, forward: boolean): void {
  const editor = vscode.window.activeTextEditor;
  if (editor === undefined) {
    return;
  }
  const blocks = uncovered(store.file(editor.document.uri));
  const block = neighbour(blocks, editor.selection.active.line, forward);
  if (block === undefined) {
    void vscode.window.setStatusBarMessage('Nothing is uncovered in this file', 3000);
    return;
  }
  const indent = editor.document.lineAt(block[0]).firstNonWhitespaceCharacterIndex;
  const place = new vscode.Position(block[0], indent);
  editor.selection = new vscode.Selection(place, place);
  editor.revealRange(
    new vscode.Range(block[0], 0, block[1], 0),
    vscode.TextEditorRevealType.InCenterIfOutsideViewport,
  );
}

/**
 * The Python extension's choice where it is there and holds; else the setting, by a file that is
 * picked. A setting that is there goes before that choice, so it is the one to be changed.
 */
async function selectInterpreter(): Promise<void> {
  const settings = vscode.workspace.getConfiguration('covls');
  const set = settings.inspect<string | null>('interpreter');
  const isSet = settings.get('interpreter') != null;
  if (!isSet && vscode.extensions.getExtension('ms-python.python') !== undefined) {
    await vscode.commands.executeCommand('python.setInterpreter');
    return;
  }
  const picked = await vscode.window.showOpenDialog({
    title: 'The Python (3.11 or newer) that runs covls',
    openLabel: 'Take this one',
  });
  const python = picked?.[0]?.fsPath;
  if (python !== undefined) {
    const inWorkspace = set?.workspaceValue != null;
    await settings.update(
      'interpreter',
      python,
      inWorkspace ? vscode.ConfigurationTarget.Workspace : vscode.ConfigurationTarget.Global,
    );
  }
}
