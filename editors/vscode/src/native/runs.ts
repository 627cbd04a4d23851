/** The server's test runs, as VS Code shows runs: each test as it ends, and a way to stop it. */

import * as vscode from 'vscode';

import type { TestResult, TestRunParams } from '../protocol.ts';
import type { TestItems } from './items.ts';
import type { Wanted } from './chosen.ts';

/** Has the server do something, and says what it answered; what it refuses was told the user. */
type Ask = (command: string, given: unknown[]) => Promise<unknown>;

export class TestRuns {
  readonly #controller: vscode.TestController;
  readonly #profile: vscode.TestRunProfile;
  readonly #items: TestItems;
  readonly #ask: Ask;
  readonly #finish: (run: vscode.TestRun) => Promise<void>;
  readonly #open = new Map<number, vscode.TestRun>();
  readonly #requests = new Map<number, { request: vscode.TestRunRequest; ended: () => void }>();
  /** The tests of each folder's last run. */
  readonly ran = new Map<string, Set<string>>();
  #work: Promise<void> = Promise.resolve();
  #asking: Promise<unknown> = Promise.resolve();

  /** `finish` gives a run its coverage before it ends. */
  constructor(
    controller: vscode.TestController,
    profile: vscode.TestRunProfile,
    items: TestItems,
    ask: Ask,
    finish: (run: vscode.TestRun) => Promise<void>,
  ) {
    this.#controller = controller;
    this.#profile = profile;
    this.#items = items;
    this.#ask = ask;
    this.#finish = finish;
  }

  /** Whether a run is under way. */
  get underWay(): boolean {
    return this.#open.size > 0;
  }

  /** Runs what is wanted, undefined: everything; waits for the end. */
  async run(
    request: vscode.TestRunRequest,
    wanted: readonly Wanted[] | undefined,
    token: vscode.CancellationToken,
  ): Promise<void> {
    const commands: [string, unknown[]][] =
      wanted === undefined
        ? [['covls.runAll', []]]
        : wanted.map(({ folder, tests }) =>
            tests === undefined ? ['covls.runAll', [folder]] : ['covls.runTests', [folder, tests]],
          );
    const cancel = token.onCancellationRequested(() => {
      for (const folder of wanted?.map((one) => one.folder) ?? [null]) {
        void this.#ask('covls.cancelRun', [folder]);
      }
    });
    const ends: Promise<void>[] = [];
    const begin = async () => {
      for (const [command, given] of commands) {
        const numbers = await this.#ask(command, given);
        for (const number of Array.isArray(numbers) ? (numbers as number[]) : []) {
          ends.push(new Promise((ended) => this.#requests.set(number, { request, ended })));
        }
      }
    };
    // What is told of a run may come before the answer that says which run it is.
    this.#asking = begin();
    await this.#asking;
    await Promise.all(ends);
    cancel.dispose();
  }

  /** Takes in what the server tells of a run. */
  take(params: TestRunParams): void {
    this.#work = this.#work
      .then(() => this.#asking)
      .then(() => this.#take(params))
      .catch(() => undefined);
  }

  /** There is no server any more: nothing that is under way will be told the end of. */
  close(): void {
    for (const run of this.#open.values()) {
      run.end();
    }
    for (const { ended } of this.#requests.values()) {
      ended();
    }
    this.#open.clear();
    this.#requests.clear();
  }

  async #take(params: TestRunParams): Promise<void> {
    if (params.state === 'begun') {
      this.#begin(params);
      return;
    }
    const asked = this.#requests.get(params.run);
    if (params.state !== 'ended') {
      this.#follow(params);
      return;
    }
    if (asked !== undefined) {
      this.#begin(params);
    }
    const open = this.#open.get(params.run);
    if (open !== undefined) {
      open.appendOutput(`${params.message}\n`.replaceAll(/\r?\n/g, '\r\n'));
      await this.#finish(open);
      open.end();
      this.#open.delete(params.run);
    }
    this.#requests.delete(params.run);
    asked?.ended();
  }

  #begin({ run: number, title, folder }: TestRunParams): void {
    if (this.#open.has(number)) {
      return;
    }
    const request =
      this.#requests.get(number)?.request ??
      new vscode.TestRunRequest(undefined, undefined, this.#profile, false, true);
    const run = this.#controller.createTestRun(request, title);
    run.token.onCancellationRequested(() => void this.#ask('covls.cancelRun', [folder]));
    this.ran.set(folder, new Set());
    this.#open.set(number, run);
  }

  #follow({ run: number, folder, tests, started, finished }: TestRunParams): void {
    const run = this.#open.get(number);
    if (run === undefined) {
      return;
    }
    for (const test of tests) {
      this.ran.get(folder)?.add(test);
      run.enqueued(this.#items.at(folder, test));
    }
    for (const test of started) {
      run.started(this.#items.at(folder, test));
    }
    for (const result of finished) {
      conclude(run, this.#items.at(folder, result.test), result);
    }
  }
}

function conclude(run: vscode.TestRun, item: vscode.TestItem, result: TestResult): void {
  const { outcome, seconds } = result;
  switch (outcome) {
    case 'passed':
    case 'xpassed':
      run.passed(item, seconds * 1000);
      break;
    case 'skipped':
    case 'xfailed':
      run.skipped(item);
      break;
    case 'error':
      run.errored(item, message(result), seconds * 1000);
      break;
    default:
      run.failed(item, message(result), seconds * 1000);
  }
}

function message({ message: words, details, location }: TestResult): vscode.TestMessage {
  const said = new vscode.TestMessage(details === '' ? words : details);
  if (location !== null) {
    const { start } = location.range;
    const place = new vscode.Position(start.line, start.character);
    said.location = new vscode.Location(vscode.Uri.parse(location.uri), place);
  }
  return said;
}
