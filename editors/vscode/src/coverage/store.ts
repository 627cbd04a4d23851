/** The coverage of the files that are on screen, asked for anew when it is another. */

import { State, type LanguageClient } from 'vscode-languageclient/node';
import * as vscode from 'vscode';

import {
  DID_CHANGE_COVERAGE,
  FILE_COVERAGE,
  PRIORITIES,
  PROJECT_COVERAGE,
  PROJECT_TESTS,
  STATEMENTS,
  STATUS,
  TEST_RUN,
  type DidChangeCoverageParams,
  type FileCoverageResult,
  type FolderTests,
  type MeasuredStatement,
  type PrioritiesResult,
  type ProjectCoverageResult,
  type StatusParams,
  type TestRunParams,
} from '../protocol.ts';

export class CoverageStore implements vscode.Disposable {
  readonly #files = new Map<string, FileCoverageResult>();
  readonly #statuses = new Map<string, StatusParams>();
  readonly #fileChanged = new vscode.EventEmitter<vscode.Uri>();
  readonly #statusChanged = new vscode.EventEmitter<StatusParams | undefined>();
  readonly #runTold = new vscode.EventEmitter<TestRunParams>();
  readonly #subscriptions: vscode.Disposable[];
  #client: LanguageClient | undefined;

  /** What is known of a file is another. */
  readonly onFile = this.#fileChanged.event;
  /** What a root's data is worth is another; undefined: nothing is known of any. */
  readonly onStatus = this.#statusChanged.event;
  /** Something happened in a run of the server's. */
  readonly onRun = this.#runTold.event;

  constructor() {
    this.#subscriptions = [
      vscode.window.onDidChangeVisibleTextEditors((editors) => {
        for (const editor of editors) {
          void this.#fetch(editor.document.uri);
        }
      }),
      vscode.workspace.onDidCloseTextDocument((document) => {
        this.#files.delete(document.uri.toString());
      }),
    ];
  }

  /** Takes what a new client brings in. */
  attach(client: LanguageClient): void {
    this.#client = client;
    client.onNotification(DID_CHANGE_COVERAGE, (params: DidChangeCoverageParams) => {
      void this.#fetch(vscode.Uri.parse(params.uri));
    });
    client.onDidChangeState(({ newState }) => {
      if (newState === State.Running) {
        // Opens all folders, so that there are figures before a file is on screen.
        void this.project();
      }
    });
    client.onNotification(STATUS, (params: StatusParams) => {
      this.#statuses.set(params.folder, params);
      this.#statusChanged.fire(params);
    });
    client.onNotification(TEST_RUN, (params: TestRunParams) => this.#runTold.fire(params));
  }

  /** Forgets everything: there is no server. */
  clear(): void {
    const files = [...this.#files.keys()];
    this.#files.clear();
    this.#statuses.clear();
    for (const file of files) {
      this.#fileChanged.fire(vscode.Uri.parse(file));
    }
    this.#statusChanged.fire(undefined);
  }

  file(uri: vscode.Uri): FileCoverageResult | undefined {
    return this.#files.get(uri.toString());
  }

  get statuses(): readonly StatusParams[] {
    return [...this.#statuses.values()];
  }

  /** The status of the innermost root around a file; of the only one, where there is no file. */
  statusAt(uri: vscode.Uri | undefined): StatusParams | undefined {
    if (uri === undefined) {
      return this.#statuses.size === 1 ? this.statuses[0] : undefined;
    }
    const around = this.statuses.filter((status) => {
      const folder = vscode.Uri.parse(status.folder).path.replace(/\/?$/, '/');
      return `${uri.path}/`.startsWith(folder);
    });
    return around.sort((one, other) => other.folder.length - one.folder.length)[0];
  }

  /** One file's coverage as the server has it now, open or not. */
  async ask(uri: vscode.Uri): Promise<FileCoverageResult | undefined> {
    const found = await this.#request<FileCoverageResult | null>(FILE_COVERAGE, {
      textDocument: { uri: uri.toString() },
    });
    return found ?? undefined;
  }

  /** A file's statements one by one, as they ran in all tests, or in one. */
  async statements(uri: vscode.Uri, test?: string): Promise<MeasuredStatement[]> {
    const params = { textDocument: { uri: uri.toString() }, test: test ?? null };
    return (await this.#request<MeasuredStatement[] | null>(STATEMENTS, params)) ?? [];
  }

  /** The recorded tests of all folders, and the files they reach. */
  async tests(): Promise<FolderTests[]> {
    return (await this.#request<FolderTests[] | null>(PROJECT_TESTS, {})) ?? [];
  }

  /** What to test next, in all folders. */
  async priorities(): Promise<PrioritiesResult | undefined> {
    return (await this.#request<PrioritiesResult | null>(PRIORITIES, {})) ?? undefined;
  }

  /** The figures of all folders. */
  async project(): Promise<ProjectCoverageResult | undefined> {
    return (await this.#request<ProjectCoverageResult | null>(PROJECT_COVERAGE, {})) ?? undefined;
  }

  dispose(): void {
    const events = [this.#fileChanged, this.#statusChanged, this.#runTold];
    for (const one of [...this.#subscriptions, ...events]) {
      one.dispose();
    }
  }

  async #fetch(uri: vscode.Uri): Promise<void> {
    if (uri.scheme !== 'file' || this.#client?.isRunning() !== true) {
      return;
    }
    const found = await this.ask(uri);
    const key = uri.toString();
    const open = vscode.workspace.textDocuments.find((one) => one.uri.toString() === key);
    // An answer of a text that is gone by now is followed by a notification of its own.
    if (open === undefined || (found?.version != null && found.version < open.version)) {
      if (found !== undefined) {
        return;
      }
    }
    if (found === undefined) {
      this.#files.delete(key);
    } else {
      this.#files.set(key, found);
    }
    this.#fileChanged.fire(uri);
  }

  async #request<Result>(method: string, params: object): Promise<Result | undefined> {
    try {
      return await this.#client?.sendRequest<Result>(method, params);
    } catch {
      return undefined; // The server is ending, or has said what is wrong itself.
    }
  }
}
