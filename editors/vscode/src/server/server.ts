/** The server's process and the client that speaks with it: started, watched, started anew. */

import path from 'node:path';

import {
  CloseAction,
  ErrorAction,
  LanguageClient,
  State,
  type LanguageClientOptions,
  type Middleware,
  type StaticFeature,
} from 'vscode-languageclient/node';
import * as vscode from 'vscode';

import { chosenPython, findPython } from './interpreter.ts';
import { byPython, namedProgram, type Command } from './launch.ts';
import { Restarts } from './restarts.ts';
import { explicit } from './settings.ts';

/** Has the server tell of each test of a run. */
const TESTS_ARE_SHOWN: StaticFeature = {
  fillClientCapabilities: (capabilities) => {
    capabilities.experimental = { covls: { testRun: true } };
  },
  initialize: () => undefined,
  getState: () => ({ kind: 'static' }),
  clear: () => undefined,
};

const LANGUAGES = ['python', 'django-html', 'jinja-html', 'html'];

export class Server implements vscode.Disposable {
  readonly log = vscode.window.createOutputChannel('covls', { log: true });
  readonly #context: vscode.ExtensionContext;
  readonly #middleware: Middleware;
  readonly #started = new vscode.EventEmitter<LanguageClient>();
  readonly #stopped = new vscode.EventEmitter<string>();
  #client: LanguageClient | undefined;
  #restarts = new Restarts();
  #order: Promise<void> = Promise.resolve();
  #closed = false;
  #runsOnSave = false;
  /** What runs now. */
  #running: Command | undefined;
  readonly #offered = new Set<string>();

  /** A new client, before it is started: the time to say which messages are awaited. */
  readonly onStart = this.#started.event;
  /** There is no server now, and why, for people. */
  readonly onStop = this.#stopped.event;

  constructor(context: vscode.ExtensionContext, middleware: Middleware) {
    this.#context = context;
    this.#middleware = middleware;
  }

  /** The client, if its server can be asked. */
  get client(): LanguageClient | undefined {
    return this.#client?.state === State.Running ? this.#client : undefined;
  }

  /** Starts the server, or starts it anew with the settings and the Python of now. */
  async restart(): Promise<void> {
    this.#order = this.#order.then(async () => {
      await this.#stop();
      this.#restarts = new Restarts();
      const command = this.#closed ? undefined : await this.#command();
      if (command !== undefined) {
        await this.#start(command);
      }
    });
    return this.#order;
  }

  /** Takes another Python that was chosen: by starting anew only where covls is to run with it. */
  async takePython(): Promise<void> {
    await this.#order;
    const command = this.#closed ? undefined : await this.#command();
    if (command !== undefined && this.client !== undefined && isSame(command, this.#running)) {
      this.#tellSettings();
    } else {
      await this.restart();
    }
  }

  /** Has tests run on save for as long as the user wants it, whatever the setting says. */
  set runsOnSave(wanted: boolean) {
    this.#runsOnSave = wanted;
    this.#tellSettings();
  }

  /** Says that there are others; the server asks for them then. */
  #tellSettings(): void {
    void this.client?.sendNotification('workspace/didChangeConfiguration', { settings: null });
  }

  async stop(): Promise<void> {
    this.#closed = true;
    this.#order = this.#order.then(() => this.#stop());
    return this.#order;
  }

  dispose(): void {
    this.#started.dispose();
    this.#stopped.dispose();
    this.log.dispose();
  }

  async #command(): Promise<Command | undefined> {
    const settings = vscode.workspace.getConfiguration('covls');
    const program = settings.get<string | null>('path');
    if (program != null && program !== '') {
      return namedProgram(program);
    }
    const { python, unfit } = await findPython();
    if (python === undefined) {
      this.#noPython(unfit);
      return undefined;
    }
    const preferEnvironment =
      vscode.workspace.isTrusted && settings.get('importStrategy') === 'fromEnvironment';
    const bundled = this.#context.asAbsolutePath(path.join('bundled', 'serve.py'));
    return byPython(python, preferEnvironment, bundled);
  }

  #noPython(unfit: readonly string[]): void {
    const why =
      unfit.length > 0 ? `These do not do: ${unfit.join(', ')}.` : 'None was found on this machine.';
    this.log.error(`No Python to run covls with. ${why}`);
    this.#stopped.fire('covls needs Python 3.11 or newer');
    void this.#offer(`covls needs Python 3.11 or newer to run. ${why}`, {
      'Choose Python…': 'covls.command.selectInterpreter',
      'Show log': 'covls.command.showLog',
    });
  }

  /** Says something once, however often it is found to be so before it was answered. */
  async #offer(words: string, buttons: Record<string, string>): Promise<void> {
    if (this.#offered.has(words)) {
      return;
    }
    this.#offered.add(words);
    const chosen = await vscode.window.showErrorMessage(words, ...Object.keys(buttons));
    this.#offered.delete(words);
    const command = chosen === undefined ? undefined : buttons[chosen];
    if (command !== undefined) {
      await vscode.commands.executeCommand(command);
    }
  }

  async #start(command: Command): Promise<void> {
    this.log.info(`Starting ${command.words}`);
    const client = new LanguageClient(
      'covls',
      'covls',
      {
        command: command.program,
        args: [...command.arguments],
        // Not in the workspace: nothing there is to be imported by accident.
        options: { cwd: this.#context.extensionPath },
      },
      this.#options(),
    );
    client.registerFeature(TESTS_ARE_SHOWN);
    this.#client = client;
    this.#running = command;
    this.#started.fire(client);
    try {
      await client.start();
    } catch (error) {
      this.log.error(`The server did not start: ${String(error)}`);
      this.#failed(`The server of covls did not start: ${command.words}.`);
    }
  }

  #options(): LanguageClientOptions {
    let born = Date.now();
    return {
      documentSelector: LANGUAGES.map((language) => ({ scheme: 'file', language })),
      outputChannel: this.log,
      initializationOptions: { trusted: vscode.workspace.isTrusted },
      middleware: {
        ...this.#middleware,
        workspace: { configuration: (params) => settingsFor(params.items, this.#runsOnSave) },
      },
      errorHandler: {
        error: () => ({ action: ErrorAction.Continue, handled: true }),
        closed: async () => {
          const pause = this.#closed ? undefined : this.#restarts.pauseAfter(Date.now() - born);
          if (pause === undefined) {
            this.#failed('The server of covls ended again and again, and is not started any more.');
            return { action: CloseAction.DoNotRestart, handled: true };
          }
          this.log.warn(`The server ended by itself. It is started again in ${pause / 1000} s.`);
          this.#stopped.fire('the server ended and is started again');
          await new Promise((resolve) => setTimeout(resolve, pause));
          born = Date.now();
          return { action: CloseAction.Restart, handled: true };
        },
      },
    };
  }

  #failed(words: string): void {
    if (this.#closed) {
      return;
    }
    this.#stopped.fire(words);
    void this.#offer(words, {
      'Show log': 'covls.command.showLog',
      Restart: 'covls.command.restart',
    });
  }

  async #stop(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    try {
      await client?.dispose();
    } catch (error) {
      this.log.warn(`The server did not end well: ${String(error)}`);
    }
  }
}

function isSame(one: Command, other: Command | undefined): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** The answers to `workspace/configuration`, one for each place that is asked about. */
async function settingsFor(
  items: readonly { scopeUri?: string }[],
  runsOnSave: boolean,
): Promise<object[]> {
  const trusted = vscode.workspace.isTrusted;
  return Promise.all(
    items.map(async (item) => {
      const scope = item.scopeUri === undefined ? undefined : vscode.Uri.parse(item.scopeUri);
      const set = explicit(vscode.workspace.getConfiguration('covls', scope ?? null));
      const python = set.python ?? (await chosenPython(scope));
      if (runsOnSave && (set['run.onSave'] ?? 'off') === 'off') {
        set['run.onSave'] = 'affected';
      }
      return { ...set, ...(python === undefined ? {} : { python }), trusted };
    }),
  );
}
