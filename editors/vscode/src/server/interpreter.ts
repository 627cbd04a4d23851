/** The Python that runs covls, and the one that the project has, as VS Code knows them. */

import { access } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';

import { PythonExtension } from '@vscode/python-extension';
import * as vscode from 'vscode';

import { candidates } from './candidates.ts';
import { ask, isNewEnough, type Python } from './python_version.ts';

export interface Found {
  readonly python: Python | undefined;
  /** Those that are there and are too old, or do not run. */
  readonly unfit: readonly string[];
}

/** The first that does, of all that may be there. */
export async function findPython(): Promise<Found> {
  const folders = (vscode.workspace.workspaceFolders ?? []).map((folder) => folder.uri.fsPath);
  const set = vscode.workspace.getConfiguration('covls').get<string | null>('interpreter');
  const places = candidates({
    set: set ?? undefined,
    chosen: await chosenPython(vscode.workspace.workspaceFolders?.[0]?.uri),
    folders,
    trusted: vscode.workspace.isTrusted,
    path: (process.env.PATH ?? '').split(path.delimiter).filter((folder) => folder !== ''),
    windows: process.platform === 'win32',
  });
  const unfit: string[] = [];
  for (const place of places) {
    if (!(await isThere(place))) {
      if (place === set) {
        unfit.push(`${place} (not there)`);
      }
      continue;
    }
    const python = await ask(place);
    if (python !== undefined && isNewEnough(python.version)) {
      return { python, unfit };
    }
    unfit.push(python === undefined ? place : `${place} (${python.version.join('.')})`);
  }
  return { python: undefined, unfit };
}

/** What is chosen in the Python extension for a folder, where that extension is and works. */
export async function chosenPython(resource?: vscode.Uri): Promise<string | undefined> {
  if (!vscode.workspace.isTrusted) {
    return undefined;
  }
  try {
    const api = await pythonExtension();
    if (api === undefined) {
      return undefined;
    }
    const chosen = api.environments.getActiveEnvironmentPath(resource);
    const environment = await api.environments.resolveEnvironment(chosen);
    return environment?.executable.uri?.fsPath;
  } catch {
    return undefined; // It is there and does not work, and says so itself.
  }
}

/** Tells when another one is chosen. */
export async function onChosen(changed: () => void): Promise<vscode.Disposable | undefined> {
  try {
    const api = await pythonExtension();
    return api?.environments.onDidChangeActiveEnvironmentPath(changed);
  } catch {
    return undefined;
  }
}

async function pythonExtension(): Promise<PythonExtension | undefined> {
  const there = vscode.extensions.getExtension('ms-python.python') !== undefined;
  return there ? PythonExtension.api() : undefined;
}

async function isThere(place: string): Promise<boolean> {
  try {
    await access(place);
    return true;
  } catch {
    return false;
  }
}
