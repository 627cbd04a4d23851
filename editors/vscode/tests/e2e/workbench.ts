/// <reference lib="dom" />
/** A real VS Code workbench: code-server with the extension installed, driven in Chromium. */

import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as pause } from 'node:timers/promises';

import { chromium, type Browser, type Locator, type Page } from 'playwright-core';

import { BARS } from '../../src/gutter/bars.ts';

export interface Places {
  /** The program `code-server`. */
  readonly codeServer: string;
  readonly chromium: string;
  /** The extension, installed. */
  readonly extensions: string;
  /** Where pictures are put. */
  readonly pictures: string;
  /** For what a workbench leaves behind. */
  readonly scratch: string;
}

/** Everything comes in seconds, and on a busy machine in many of them. */
const PATIENCE_MS = 120_000;

const SIZE = { width: 1280, height: 900 };

const SETTINGS = {
  'chat.disableAIFeatures': true,
  // There is no debugger of Python's here.
  'debug.allowBreakpointsEverywhere': true,
  'editor.minimap.enabled': false,
  'editor.stickyScroll.enabled': false,
  'extensions.ignoreRecommendations': true,
  'files.autoSave': 'off',
  'security.workspace.trust.enabled': false,
  'telemetry.telemetryLevel': 'off',
  'window.commandCenter': false,
  'workbench.colorTheme': 'Dark Modern',
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'workbench.startupEditor': 'none',
  'workbench.tips.enabled': false,
};

/** Which kind of bar is drawn in which shape. */
const SHAPES = Object.fromEntries(
  Object.entries(BARS).map(([kind, { width, style }]) => [`${width}px ${style}`, kind]),
);

/** One bar before a line: which kind of mark it is, and in which colour. */
export interface Bar {
  readonly kind: string;
  readonly colour: string;
}

/** Waits until something is so, and says what was there instead if it never is. */
export async function until<Value>(
  look: () => Promise<Value>,
  right: (value: Value) => boolean,
  what: string,
  patienceMs = PATIENCE_MS,
): Promise<Value> {
  const end = Date.now() + patienceMs;
  for (;;) {
    const value = await look();
    if (right(value)) {
      return value;
    }
    if (Date.now() > end) {
      throw new Error(`${what}: never. Last seen: ${JSON.stringify(value).slice(0, 2000)}`);
    }
    await pause(100);
  }
}

/** code-server with its settings, and a browser. */
export class Workbench {
  readonly #places: Places;
  readonly #data: string;
  #server: ChildProcess | undefined;
  #browser: Browser | undefined;
  #port = 0;
  #window: Window | undefined;
  #place = '';
  /** Whether a test has put settings of its own. */
  #special = false;
  /** What the test under way sees if it passes. */
  #features: readonly string[] = [];

  constructor(places: Places) {
    this.#places = places;
    this.#data = path.join(places.scratch, 'data');
  }

  async start(): Promise<void> {
    this.settings({});
    this.#special = false;
    this.#port = await freePort();
    this.#server = spawn(
      this.#places.codeServer,
      [
        ...['--auth', 'none', '--bind-addr', `127.0.0.1:${this.#port}`],
        ...['--user-data-dir', this.#data, '--extensions-dir', this.#places.extensions],
        ...['--disable-telemetry', '--disable-update-check', '--disable-getting-started-override'],
        // What runs for a window ends soon after it, and not three hours later.
        ...['--reconnection-grace-time', '5'],
      ],
      {
        stdio: 'ignore',
        detached: true,
        env: { ...process.env, COVLS_CACHE_DIR: path.join(this.#places.scratch, 'cache') },
      },
    );
    const url = `http://127.0.0.1:${this.#port}/healthz`;
    await until(() => answers(url), Boolean, 'code-server answers');
    this.#browser = await chromium.launch({
      executablePath: this.#places.chromium,
      args: [
        ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
        ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
      ],
    });
  }

  async stop(): Promise<void> {
    await this.#browser?.close();
    const server = this.#server;
    if (server?.pid !== undefined && server.exitCode === null) {
      const gone = new Promise((resolve) => server.once('exit', resolve));
      process.kill(-server.pid, 'SIGTERM');
      await Promise.race([gone, pause(10_000)]);
    }
  }

  /** Says which features of covls the test sees, by their names in `tests/features.py`. */
  shows(...features: readonly string[]): void {
    this.#features = features;
  }

  /** Leaves what was seen for the table in docs/editors.md, as `tests/features.py` does. */
  #record(test: string): void {
    const folder = process.env.COVLS_FEATURES;
    if (folder === undefined || folder === '' || this.#features.length === 0) {
      return;
    }
    const said = execFileSync(this.#places.codeServer, ['--version'], { encoding: 'utf8' });
    const version = /with Code (\S+)/.exec(said)?.[1] ?? '';
    const rows = this.#features.map((feature) => ({ client: 'VS Code', feature, version, test }));
    mkdirSync(folder, { recursive: true });
    const lines = rows.map((row) => `${JSON.stringify(row)}\n`).join('');
    appendFileSync(path.join(folder, 'vscode.jsonl'), lines);
  }

  /**
   * To be called after each test. The window is kept for the next test on the same project, unless this
   * one failed or had settings of its own.
   */
  async tidy(test: object): Promise<void> {
    // Node's types do not know it yet.
    const { passed = false, name = '' } = test as { passed?: boolean; name?: string };
    if (passed) {
      this.#record(name);
    }
    this.#features = [];
    if (!passed) {
      const picture = `failed-${name.replace(/\W+/g, '-')}`;
      await this.#window?.picture(picture).catch(() => undefined);
    }
    if (!passed || this.#special) {
      await this.close();
      this.settings({});
      this.#special = false;
    } else {
      await this.#window?.page.keyboard.press('Escape');
    }
  }

  async close(): Promise<void> {
    await this.#window?.close();
    this.#window = undefined;
    this.#place = '';
  }

  /** Puts settings over the plain ones, for windows that are opened or loaded after that. */
  settings(some: Record<string, unknown>): void {
    this.#special = true;
    const folder = path.join(this.#data, 'User');
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, 'settings.json'), JSON.stringify({ ...SETTINGS, ...some }));
  }

  /** The window on a folder or a `.code-workspace`, with a file of it on screen, where one is named. */
  async open(place: string, file?: string): Promise<Window> {
    if (this.#browser === undefined) {
      throw new Error('The workbench was not started.');
    }
    if (this.#window !== undefined && this.#place === place && !this.#special) {
      if (file !== undefined) {
        await this.#window.show(file);
      }
      return this.#window;
    }
    await this.close();
    const context = await this.#browser.newContext({ viewport: SIZE, deviceScaleFactor: 1 });
    context.setDefaultTimeout(PATIENCE_MS);
    const page = await context.newPage();
    const kind = place.endsWith('.code-workspace') ? 'workspace' : 'folder';
    const folder = kind === 'workspace' ? path.dirname(place) : place;
    const remote = `vscode-remote://127.0.0.1:${this.#port}`;
    const opened = file === undefined ? [] : [['openFile', `${remote}${path.join(folder, file)}`]];
    const query = `${kind}=${encodeURIComponent(place)}&payload=${encodeURIComponent(JSON.stringify(opened))}`;
    await page.goto(`http://127.0.0.1:${this.#port}/?${query}`);
    await page.locator('.monaco-workbench').waitFor();
    this.#window = new Window(page, this.#places.pictures);
    this.#place = place;
    return this.#window;
  }
}

/** One window of the workbench. */
export class Window {
  readonly page: Page;
  readonly #pictures: string;

  constructor(page: Page, pictures: string) {
    this.page = page;
    this.#pictures = pictures;
  }

  async close(): Promise<void> {
    await this.page.context().close();
  }

  /** Loads the window anew, with the settings of now. */
  async reload(): Promise<void> {
    await this.page.reload();
    await this.page.locator('.monaco-workbench').waitFor();
  }

  async picture(name: string): Promise<void> {
    mkdirSync(this.#pictures, { recursive: true });
    await this.page.screenshot({ path: path.join(this.#pictures, `${name}.png`) });
  }

  /** Makes the window so high, or as high as it was. */
  async height(pixels = SIZE.height): Promise<void> {
    await this.page.setViewportSize({ ...SIZE, height: pixels });
  }

  /** Runs a command by the words that the palette has for it. */
  async command(words: string): Promise<void> {
    await this.#choose('F1', `>${words}`, words);
  }

  /** Opens a file by its path within the workspace, or from its folder on. */
  async show(file: string): Promise<void> {
    await this.#choose('Control+p', file, path.basename(file), path.dirname(file));
    const title = this.page.locator('.tab.active .monaco-icon-label');
    await until(
      async () => (await title.first().getAttribute('aria-label')) ?? '',
      (label) => label.includes(file),
      `${file} on screen`,
    );
  }

  /** Picks a colour theme, as a user does. */
  async theme(name: string): Promise<void> {
    await this.command('Preferences: Color Theme');
    const input = this.page.locator('.quick-input-widget input[type=text]').first();
    await input.waitFor();
    await input.fill(name);
    const rows = this.page.locator('.quick-input-list .monaco-list-row');
    await rows.filter({ hasText: name }).first().click();
    await input.waitFor({ state: 'hidden' });
  }

  /** Where before a line breakpoints are set: a place to click. */
  async marginOf(line: number): Promise<{ x: number; y: number }> {
    const rows = this.page.locator('.editor-instance .margin-view-overlays > div');
    const row = rows.filter({ has: this.page.getByText(String(line), { exact: true }) });
    const box = await row.first().boundingBox();
    if (box === null) {
      throw new Error(`Line ${line} is not in view.`);
    }
    return { x: box.x + 9, y: box.y + box.height / 2 };
  }

  /** Types into the quick input, and takes the first row with these words once it comes. */
  async #choose(key: string, typed: string, ...words: readonly string[]): Promise<void> {
    const input = await this.#quickInput(key);
    await input.fill(typed);
    let rows = this.page.locator('.quick-input-list .monaco-list-row');
    for (const word of words) {
      rows = rows.filter({ hasText: word });
    }
    await rows.first().click();
  }

  /** The quick input. A key that was pressed while the workbench is still loading opens none. */
  async #quickInput(key: string): Promise<Locator> {
    const input = this.page.locator('.quick-input-widget input[type=text]').first();
    await until(
      async () => {
        await this.page.keyboard.press(key);
        return input.waitFor({ state: 'visible', timeout: 5_000 }).then(
          () => true,
          () => false,
        );
      },
      Boolean,
      `the quick input by ${key}`,
    );
    return input;
  }

  /** The words in the status bar. */
  async status(): Promise<string> {
    const item = this.page.locator('[id="covls.covls.covls"]');
    return (await item.count()) === 0 ? '' : ((await item.first().textContent()) ?? '').trim();
  }

  /** Puts the cursor on a line. */
  async goTo(line: number): Promise<void> {
    const input = await this.#quickInput('Control+g');
    await input.fill(`:${line}`);
    await this.page.keyboard.press('Enter');
    await input.waitFor({ state: 'hidden' });
  }

  /** The bars before the lines that are in view, and all lines in view. */
  async bars(): Promise<{ lines: number[]; bars: Record<number, Bar> }> {
    return this.page.evaluate((shapes) => {
      const editor = document.querySelector('.editor-instance .monaco-editor');
      const lines = new Map<number, number>();
      for (const row of editor?.querySelectorAll<HTMLElement>('.margin-view-overlays > div') ?? []) {
        const text = row.querySelector('.line-numbers')?.textContent ?? '';
        if (text !== '') {
          lines.set(Math.round(row.getBoundingClientRect().top), Number(text));
        }
      }
      const bars: Record<number, { kind: string; colour: string }> = {};
      for (const part of editor?.querySelectorAll<HTMLElement>('.view-overlays .cdr') ?? []) {
        const { borderLeftWidth, borderLeftStyle, borderLeftColor } = getComputedStyle(part);
        const kind = shapes[`${borderLeftWidth} ${borderLeftStyle}`];
        const line = lines.get(Math.round(part.getBoundingClientRect().top));
        if (kind !== undefined && line !== undefined) {
          const parts = (borderLeftColor.match(/\d+/g) ?? []).slice(0, 3);
          const colour = parts.map((one) => Number(one).toString(16).padStart(2, '0')).join('');
          bars[line] = { kind, colour: `#${colour}` };
        }
      }
      return { lines: [...lines.values()].sort((one, other) => one - other), bars };
    }, SHAPES);
  }

  /** The marks at the line numbers that VS Code's own coverage makes, and all lines in view. */
  async nativeMarks(): Promise<{ lines: number[]; marks: Record<number, 'hit' | 'miss'> }> {
    return this.page.evaluate(() => {
      const lines: number[] = [];
      const marks: Record<number, 'hit' | 'miss'> = {};
      const editor = document.querySelector('.editor-instance .monaco-editor');
      for (const row of editor?.querySelectorAll<HTMLElement>('.margin-view-overlays > div') ?? []) {
        const line = Number(row.querySelector('.line-numbers')?.textContent ?? '');
        if (line > 0) {
          lines.push(line);
          if (row.querySelector('.coverage-deco-gutter.coverage-deco-miss') !== null) {
            marks[line] = 'miss';
          } else if (row.querySelector('.coverage-deco-gutter.coverage-deco-hit') !== null) {
            marks[line] = 'hit';
          }
        }
      }
      return { lines, marks };
    });
  }

  /** Opens the menu of the status bar's item, and returns its rows. */
  async menu(): Promise<Locator> {
    await this.page.locator('[id="covls.covls.covls"] a').click();
    const rows = this.page.locator('.quick-input-list .monaco-list-row');
    await rows.first().waitFor();
    return rows;
  }

  /** Only the kinds of the bars in view. */
  async kinds(): Promise<Record<number, string>> {
    const { bars } = await this.bars();
    return Object.fromEntries(Object.entries(bars).map(([line, bar]) => [line, bar.kind]));
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false;
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
