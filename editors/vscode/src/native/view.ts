/** VS Code's own Test Coverage view and Test Explorer, fed with what covls knows. */

import * as vscode from 'vscode';

import type { CoverageStore } from '../coverage/store.ts';
import type { FolderTests, ProjectCoverageResult } from '../protocol.ts';
import { ask } from '../server/ask.ts';
import type { Server } from '../server/server.ts';
import {
  counts,
  details,
  detailsOfTest,
  functionsOnly,
  type Count,
  type Details,
} from './details.ts';
import { TestItems } from './items.ts';
import { TestRuns } from './runs.ts';

/** What is there for as long as the view is switched on. */
interface Parts {
  readonly controller: vscode.TestController;
  readonly profile: vscode.TestRunProfile;
  readonly items: TestItems;
  readonly runs: TestRuns;
}

interface Known {
  readonly project: ProjectCoverageResult;
  readonly tests: readonly FolderTests[];
}

export class NativeView implements vscode.Disposable {
  readonly #store: CoverageStore;
  readonly #server: Server;
  readonly #subscriptions: vscode.Disposable[];
  #parts: Parts | undefined;
  #shown = '';
  #work: Promise<void> = Promise.resolve();

  constructor(store: CoverageStore, server: Server) {
    this.#store = store;
    this.#server = server;
    this.#subscriptions = [
      store.onStatus((status) => {
        if (status === undefined) {
          this.#parts?.runs.close();
        } else if (status.state !== 'running') {
          this.#update();
        }
      }),
      store.onRun((params) => this.#parts?.runs.take(params)),
      vscode.workspace.onDidChangeConfiguration((event) => {
        const marks = ['covls.testCoverage', 'covls.gutter.enable'];
        if (marks.some((name) => event.affectsConfiguration(name))) {
          this.#close();
          this.#open();
        }
      }),
    ];
    this.#open();
  }

  dispose(): void {
    for (const one of this.#subscriptions) {
      one.dispose();
    }
    this.#close();
  }

  #open(): void {
    if (!isOn('testCoverage.enable')) {
      return;
    }
    const controller = vscode.tests.createTestController('covls', 'covls');
    const items = new TestItems(controller);
    const profile = controller.createRunProfile(
      'Coverage (covls)',
      vscode.TestRunProfileKind.Coverage,
      (request, token) => this.#run(request, token),
      true,
      undefined,
      true,
    );
    profile.loadDetailedCoverage = async (_run, file) => this.#details(file.uri);
    profile.loadDetailedCoverageForTest = async (_run, file, item) =>
      this.#details(file.uri, items.testOf(item) ?? '');
    const runs = new TestRuns(
      controller,
      profile,
      items,
      (command, given) => ask(this.#server, command, given),
      (run) => this.#finish(run),
    );
    this.#parts = { controller, profile, items, runs };
    this.#update();
  }

  #close(): void {
    this.#parts?.runs.close();
    this.#parts?.profile.dispose();
    this.#parts?.controller.dispose();
    this.#parts = undefined;
    this.#shown = '';
  }

  async #run(request: vscode.TestRunRequest, token: vscode.CancellationToken): Promise<void> {
    const parts = this.#parts;
    if (parts === undefined) {
      return;
    }
    if (request.continuous === true) {
      // Which tests an edit affects is for the server to say, whichever were chosen here.
      this.#server.runsOnSave = true;
      token.onCancellationRequested(() => {
        this.#server.runsOnSave = false;
      });
      return;
    }
    await parts.runs.run(request, parts.items.wanted(request), token);
  }

  #update(): void {
    this.#work = this.#work.then(() => this.#show());
  }

  /** Shows the figures as a run of its own, if they are others than those that are shown. */
  async #show(): Promise<void> {
    const known = await this.#known();
    const parts = this.#parts;
    // A run that is under way shows them itself, at its end.
    if (known === undefined || parts === undefined || parts.runs.underWay) {
      return;
    }
    if (JSON.stringify(known) === this.#shown || known.project.files.length === 0) {
      return;
    }
    // Only a run that carries the profile can be asked for details.
    const request = new vscode.TestRunRequest(undefined, undefined, parts.profile, false, true);
    const run = parts.controller.createTestRun(request, 'Coverage', false);
    this.#put(run, known);
    run.end();
  }

  /** Gives a run that ends the coverage of now: one without any would close what is open. */
  async #finish(run: vscode.TestRun): Promise<void> {
    const known = await this.#known();
    if (known !== undefined) {
      this.#put(run, known);
    }
  }

  async #known(): Promise<Known | undefined> {
    const [project, tests] = await Promise.all([this.#store.project(), this.#store.tests()]);
    return project === undefined ? undefined : { project, tests };
  }

  #put(run: vscode.TestRun, known: Known): void {
    const parts = this.#parts;
    if (parts === undefined) {
      return;
    }
    this.#shown = JSON.stringify(known);
    parts.items.show(known.tests, parts.runs.ran);
    const reaching = new Map<string, vscode.TestItem[]>();
    for (const { folder, tests, files } of known.tests) {
      const items = tests.map((test) => parts.items.at(folder, test));
      for (const file of files) {
        const found = file.tests.flatMap((place) => items[place] ?? []);
        reaching.set(file.uri, found);
      }
    }
    for (const { uri, summary } of known.project.files) {
      const { statements, branches, functions } = counts(summary);
      run.addCoverage(
        new vscode.FileCoverage(
          vscode.Uri.parse(uri),
          countOf(statements),
          branches && countOf(branches),
          countOf(functions),
          reaching.get(uri) ?? [],
        ),
      );
    }
  }

  async #details(uri: vscode.Uri, test?: string): Promise<vscode.FileCoverageDetail[]> {
    const coverage = this.#store.file(uri) ?? (await this.#store.ask(uri));
    if (coverage === undefined) {
      return [];
    }
    if (test !== undefined) {
      return converted(detailsOfTest(coverage, await this.#store.statements(uri, test)));
    }
    if (isOn('gutter.enable') && !isOn('testCoverage.markLines')) {
      return converted(functionsOnly(coverage));
    }
    return converted(details(coverage, await this.#store.statements(uri)));
  }
}

function isOn(name: string): boolean {
  return vscode.workspace.getConfiguration('covls').get(name) === true;
}

function countOf({ covered, total }: Count): vscode.TestCoverageCount {
  return new vscode.TestCoverageCount(covered, total);
}

function converted({ statements, declarations }: Details): vscode.FileCoverageDetail[] {
  const heads = new Set(declarations.map(({ start }) => start));
  // true and false, not counts: a count is shown as a badge in the line, which moves the code.
  const lines = statements.map(({ start, end, ran, taken, missed }) => {
    // A `def` is to begin within its function: of two that begin at one place VS Code takes the
    // shorter for the outer one, and marks the function's last line as it marks its first.
    const place = new vscode.Range(start, heads.has(start) ? 1 : 0, end, Number.MAX_SAFE_INTEGER);
    const branches = [
      ...Array.from({ length: taken }, () => new vscode.BranchCoverage(true, place)),
      ...missed.map((words) => new vscode.BranchCoverage(false, place, words || undefined)),
    ];
    return new vscode.StatementCoverage(ran, place, branches);
  });
  const functions = declarations.map(({ name, start, end, ran }) => {
    const place = new vscode.Range(start, 0, end, Number.MAX_SAFE_INTEGER);
    return new vscode.DeclarationCoverage(name, ran, place);
  });
  return [...functions, ...lines];
}
