/// <reference lib="dom" />
/** A real VS Code workbench: code-server with the extension installed, driven in Chromium. */

import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as pause } from 'node:timers/promises';

import { chromium, type Browser, type Page } from 'playwright-core';

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

const PATIENCE_MS = 90_000;

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
  #settings: Record<string, unknown> = {};
  #server: ChildProcess | undefined;
  #browser: Browser | undefined;
  #port = 0;
  readonly #open = new Set<Window>();

  constructor(places: Places) {
    this.#places = places;
    this.#data = path.join(places.scratch, 'data');
  }

  async start(): Promise<void> {
    this.settings({});
    this.#port = await freePort();
    this.#server = spawn(
      this.#places.codeServer,
      [
        ...['--auth', 'none', '--bind-addr', `127.0.0.1:${this.#port}`],
        ...['--user-data-dir', this.#data, '--extensions-dir', this.#places.extensions],
        ...['--disable-telemetry', '--disable-update-check', '--disable-getting-started-override'],
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
    const pid = this.#server?.pid;
    if (pid !== undefined) {
      process.kill(-pid, 'SIGTERM');
    }
  }

  /** Closes all windows, and takes all settings back: to be called after each test. */
  async tidy(): Promise<void> {
    await Promise.all([...this.#open].map((window) => window.close()));
    this.#open.clear();
    this.settings({});
  }

  /** Puts settings over the plain ones, for windows that are opened or loaded after that. */
  settings(some: Record<string, unknown>): void {
    this.#settings = { ...SETTINGS, ...some };
    const folder = path.join(this.#data, 'User');
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, 'settings.json'), JSON.stringify(this.#settings));
  }

  /** A window on a folder or a `.code-workspace`, with files of it open. */
  async open(place: string, files: readonly string[], height = 900): Promise<Window> {
    if (this.#browser === undefined) {
      throw new Error('The workbench was not started.');
    }
    const context = await this.#browser.newContext({
      viewport: { width: 1280, height },
      deviceScaleFactor: 1,
    });
    const page = await context.newPage();
    const kind = place.endsWith('.code-workspace') ? 'workspace' : 'folder';
    const folder = kind === 'workspace' ? path.dirname(place) : place;
    const opened = files.map((file) => [
      'openFile',
      `vscode-remote://127.0.0.1:${this.#port}${path.join(folder, file)}`,
    ]);
    const payload = encodeURIComponent(JSON.stringify(opened));
    await page.goto(
      `http://127.0.0.1:${this.#port}/?${kind}=${encodeURIComponent(place)}&payload=${payload}`,
    );
    await page.locator('.monaco-workbench').waitFor({ timeout: PATIENCE_MS });
    const window = new Window(page, this.#places.pictures);
    this.#open.add(window);
    return window;
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
    await this.page.locator('.monaco-workbench').waitFor({ timeout: PATIENCE_MS });
  }

  async picture(name: string): Promise<void> {
    mkdirSync(this.#pictures, { recursive: true });
    await this.page.screenshot({ path: path.join(this.#pictures, `${name}.png`) });
  }

  /** Runs a command by the words that the palette has for it. */
  async command(words: string): Promise<void> {
    await this.page.keyboard.press('F1');
    const input = this.page.locator('.quick-input-widget input[type=text]').first();
    await input.waitFor({ state: 'visible' });
    await input.fill(`>${words}`);
    const row = this.page.locator('.quick-input-list .monaco-list-row').filter({ hasText: words });
    await row.first().waitFor({ timeout: 15_000 });
    await this.page.keyboard.press('Enter');
  }

  /** The words in the status bar. */
  async status(): Promise<string> {
    const item = this.page.locator('[id="covls.covls.covls"]');
    return (await item.count()) === 0 ? '' : ((await item.first().textContent()) ?? '').trim();
  }

  /** Puts the cursor on a line. */
  async goTo(line: number): Promise<void> {
    await this.page.keyboard.press('Control+g');
    const input = this.page.locator('.quick-input-widget input[type=text]').first();
    await input.waitFor({ state: 'visible' });
    await input.fill(`:${line}`);
    await this.page.keyboard.press('Enter');
    await input.waitFor({ state: 'hidden' });
  }

  /** The bars before the lines that are in view, and all lines in view. */
  async bars(): Promise<{ lines: number[]; bars: Record<number, Bar> }> {
    return this.page.evaluate(() => {
      const editor = document.querySelector('.editor-instance .monaco-editor');
      const lines = new Map<number, number>();
      for (const row of editor?.querySelectorAll<HTMLElement>('.margin-view-overlays > div') ?? []) {
        const text = row.querySelector('.line-numbers')?.textContent ?? '';
        if (text !== '') {
          lines.set(Math.round(row.getBoundingClientRect().top), Number(text));
        }
      }
      const bars: Record<number, { kind: string; colour: string }> = {};
      for (const icon of editor?.querySelectorAll<HTMLElement>('.glyph-margin-widgets .cgmr') ?? []) {
        const image = getComputedStyle(icon).backgroundImage;
        const data = /base64,([^"')]+)/.exec(image)?.[1];
        const svg = data === undefined ? '' : atob(data);
        const kind = /data-kind="(\w+)"/.exec(svg)?.[1];
        const line = lines.get(Math.round(icon.getBoundingClientRect().top));
        if (kind !== undefined && line !== undefined) {
          bars[line] = { kind, colour: /#[0-9a-f]{6}/i.exec(svg)?.[0] ?? '' };
        }
      }
      return { lines: [...lines.values()].sort((one, other) => one - other), bars };
    });
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
