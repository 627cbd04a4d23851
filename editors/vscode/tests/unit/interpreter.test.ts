/** Which Python runs covls: real files on a PATH, and the Python extension as it offers itself. */

import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { after, beforeEach, test } from 'node:test';

import { install, vscode } from './fake_vscode.ts';

install();
const { chosenPython, findPython, onChosen } = await import('../../src/server/interpreter.ts');

const folder = mkdtempSync(path.join(tmpdir(), 'covls-interpreter-'));
const before = process.env.PATH;
after(() => {
  process.env.PATH = before;
  rmSync(folder, { recursive: true });
});

/** A program that answers as a Python of that version does. */
function python(place: string, version: string): string {
  const file = path.join(folder, place);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, `#!/bin/sh\necho '[[${version.replaceAll('.', ', ')}], false]'\n`);
  chmodSync(file, 0o755);
  return file;
}

/** The Python extension's API, with an interpreter chosen. */
function extension(chosen: string | undefined): { choose: (other: string) => void } {
  const listeners = new Set<() => void>();
  let now = chosen;
  vscode.pythonExtension = {
    ready: Promise.resolve(),
    environments: {
      getActiveEnvironmentPath: () => ({ id: now, path: now }),
      resolveEnvironment: ({ path: at }: { path: string | undefined }) =>
        Promise.resolve(at === undefined ? undefined : { executable: { uri: { fsPath: at } } }),
      onDidChangeActiveEnvironmentPath: (listener: () => void) => {
        listeners.add(listener);
        return { dispose: () => listeners.delete(listener) };
      },
    },
  };
  return {
    choose: (other) => {
      now = other;
      listeners.forEach((listener) => listener());
    },
  };
}

const NEW = python('new/bin/python3', '3.13.1');
const ON_PATH = python('path/python3', '3.12.0');
const OLD = python('old/bin/python3', '3.9.6');
const BROKEN = path.join(folder, 'broken');
writeFileSync(BROKEN, '#!/bin/sh\nexit 1\n', { mode: 0o755 });

beforeEach(() => {
  process.env.PATH = `${path.join(folder, 'path')}${path.delimiter}/usr/bin`;
  Object.assign(vscode, { trusted: true, folders: [], settings: {}, pythonExtension: undefined });
});

async function found(): Promise<string | undefined> {
  return (await findPython()).python?.path;
}

test('the one chosen in the Python extension goes before PATH', async () => {
  extension(NEW);
  assert.equal(await found(), NEW);
});

test('without that extension it is the first on PATH', async () => {
  assert.equal(await found(), ON_PATH);
});

test('an extension that chose none, or does not work, is as good as none', async () => {
  extension(undefined);
  assert.equal(await found(), ON_PATH);
  vscode.pythonExtension = {};
  assert.equal(await found(), ON_PATH);
});

test('one that is too old, or does not run, is passed over and named', async () => {
  extension(OLD);
  const old = await findPython();
  assert.deepEqual([old.python?.path, old.unfit], [ON_PATH, [`${OLD} (3.9.6)`]]);
  extension(BROKEN);
  assert.deepEqual((await findPython()).unfit, [BROKEN]);
});

test('the setting stands alone, and what is wrong with it is said', async () => {
  extension(NEW);
  vscode.settings['covls.interpreter'] = ON_PATH;
  assert.equal(await found(), ON_PATH);
  vscode.settings['covls.interpreter'] = '/nowhere/python';
  assert.deepEqual(await findPython(), {
    python: undefined,
    unfit: ['/nowhere/python (not there)'],
  });
});

test("a project's own environment goes before PATH, where the workspace is trusted", async () => {
  const own = python('project/.venv/bin/python', '3.11.2');
  vscode.folders = [path.join(folder, 'project')];
  assert.equal(await found(), own);
  vscode.trusted = false;
  assert.equal(await found(), ON_PATH);
});

test('in Restricted Mode nobody asks which was chosen', async () => {
  extension(NEW);
  vscode.trusted = false;
  assert.equal(await chosenPython(), undefined);
  assert.equal(await found(), ON_PATH);
});

test('another choice is told, until nobody wants to know', async () => {
  const { choose } = extension(OLD);
  let times = 0;
  const subscription = await onChosen(() => (times += 1));
  choose(NEW);
  assert.deepEqual([times, await found()], [1, NEW]);
  subscription?.dispose();
  choose(OLD);
  assert.equal(times, 1);
});

test('where there is no such extension, there is nothing to tell', async () => {
  assert.equal(await onChosen(() => undefined), undefined);
});
