/** VS Code's own Test Coverage view, fed with what covls knows. */

import * as vscode from 'vscode';

import type { CoverageStore } from '../coverage/store.ts';
import { counts, details, type Count, type Details } from './details.ts';

export class NativeView implements vscode.Disposable {
  readonly #store: CoverageStore;
  readonly #subscriptions: vscode.Disposable[];
  #controller: vscode.TestController | undefined;
  #profile: vscode.TestRunProfile | undefined;
  #shown = '';
  #work: Promise<void> = Promise.resolve();

  constructor(store: CoverageStore) {
    this.#store = store;
    this.#subscriptions = [
      store.onStatus((status) => {
        if (status !== undefined && status.state !== 'running') {
          this.#update();
        }
      }),
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration('covls.testCoverage')) {
          this.#switch();
        }
      }),
    ];
    this.#switch();
  }

  dispose(): void {
    for (const one of this.#subscriptions) {
      one.dispose();
    }
    this.#close();
  }

  #switch(): void {
    if (vscode.workspace.getConfiguration('covls').get('testCoverage.enable') !== true) {
      this.#close();
    } else if (this.#controller === undefined) {
      const controller = vscode.tests.createTestController('covls', 'covls');
      const profile = controller.createRunProfile(
        'Coverage (covls)',
        vscode.TestRunProfileKind.Coverage,
        async () => {
          await vscode.commands.executeCommand('covls.command.runAll');
        },
        true,
      );
      profile.loadDetailedCoverage = async (_run, file) => this.#details(file.uri);
      this.#controller = controller;
      this.#profile = profile;
      this.#update();
    }
  }

  #close(): void {
    this.#profile?.dispose();
    this.#controller?.dispose();
    this.#controller = this.#profile = undefined;
    this.#shown = '';
  }

  #update(): void {
    this.#work = this.#work.then(() => this.#show());
  }

  /** Shows the figures as a run of its own, if they are others than those that are shown. */
  async #show(): Promise<void> {
    const project = await this.#store.project();
    const [controller, profile] = [this.#controller, this.#profile];
    if (project === undefined || controller === undefined || profile === undefined) {
      return;
    }
    const now = JSON.stringify(project.files.map((file) => [file.uri, file.summary]));
    if (now === this.#shown || project.files.length === 0) {
      return;
    }
    this.#shown = now;
    // Only a run that carries the profile can be asked for details.
    const request = new vscode.TestRunRequest(undefined, undefined, profile, false, true);
    const run = controller.createTestRun(request, 'Coverage', false);
    for (const file of project.files) {
      const { statements, branches } = counts(file.summary);
      const uri = vscode.Uri.parse(file.uri);
      run.addCoverage(
        new vscode.FileCoverage(uri, countOf(statements), branches && countOf(branches)),
      );
    }
    run.end();
  }

  async #details(uri: vscode.Uri): Promise<vscode.FileCoverageDetail[]> {
    const coverage = this.#store.file(uri) ?? (await this.#store.ask(uri));
    return coverage === undefined ? [] : converted(details(coverage));
  }
}

function countOf({ covered, total }: Count): vscode.TestCoverageCount {
  return new vscode.TestCoverageCount(covered, total);
}

function converted({ statements, declarations }: Details): vscode.FileCoverageDetail[] {
  // true and false, not counts: a count is shown as a badge in the line, which moves the code.
  const lines = statements.map(({ line, ran, missed }) => {
    const place = new vscode.Range(line, 0, line, Number.MAX_SAFE_INTEGER);
    const branches = missed.map((words) => new vscode.BranchCoverage(false, place, words));
    return new vscode.StatementCoverage(ran, place, branches);
  });
  const functions = declarations.map(
    ({ name, start, end, ran }) =>
      new vscode.DeclarationCoverage(name, ran, new vscode.Range(start, 0, end, 0)),
  );
  return [...functions, ...lines];
}
