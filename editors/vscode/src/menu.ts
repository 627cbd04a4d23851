/** The menu of the status bar's item. */

import path from 'node:path';

import * as vscode from 'vscode';

import type { CoverageStore } from './coverage/store.ts';

interface Entry extends vscode.QuickPickItem {
  readonly command?: string;
  readonly arguments?: readonly unknown[];
}

export async function showMenu(store: CoverageStore): Promise<void> {
  const trusted = vscode.workspace.isTrusted;
  const entries: Entry[] = [];
  for (const status of store.statuses) {
    const folder = vscode.Uri.parse(status.folder);
    entries.push({
      label: `$(folder) ${path.posix.basename(folder.path)}`,
      description: figure(status.percentText),
      detail: status.message,
      command: 'covls.files.focus',
    });
  }
  if (store.statuses.some((status) => status.run !== null)) {
    entries.unshift({ label: '$(stop-circle) Cancel the test run', command: 'covls.command.cancelRun' });
  }
  const run = (label: string, command: string): Entry =>
    trusted
      ? { label, command }
      : { label, description: 'not in Restricted Mode', command: 'workbench.trust.manage' };
  entries.push(
    run('$(play) Run the tests of this file', 'covls.command.runFile'),
    run('$(debug-start) Run the tests affected by changes', 'covls.command.runAffected'),
    run('$(run-all) Run all tests', 'covls.command.runAll'),
    { label: '$(file-code) Open the HTML report', command: 'covls.command.openReport' },
    { label: '$(beaker) What to test next', command: 'covls.priorities.focus' },
    { label: '$(list-ordered) Files by figure', command: 'covls.files.focus' },
    { label: '$(arrow-down) Next uncovered code', command: 'covls.command.nextUncovered' },
    { label: '$(eye) Show or hide coverage', command: 'covls.command.toggle' },
    { label: '$(refresh) Read the data again', command: 'covls.command.refresh' },
    {
      label: '$(gear) Settings',
      command: 'workbench.action.openSettings',
      arguments: ['@ext:covls.covls'],
    },
    { label: '$(output) Log', command: 'covls.command.showLog' },
  );
  const chosen = await vscode.window.showQuickPick(entries, { title: 'covls: coverage' });
  if (chosen?.command !== undefined) {
    await vscode.commands.executeCommand(chosen.command, ...(chosen.arguments ?? []));
  }
}

function figure(percent: string | null): string {
  return percent === null ? 'no figure yet' : `${percent} %`;
}
