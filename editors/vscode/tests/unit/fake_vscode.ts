/** As much of VS Code as choosing an interpreter asks of it, in the place of the module `vscode`. */

import { registerHooks } from 'node:module';

/** What there is: to be set by a test. */
export const vscode = {
  trusted: true,
  folders: [] as string[],
  settings: {} as Record<string, unknown>,
  /** What the extension ms-python.python exports, if it is there. */
  pythonExtension: undefined as object | undefined,
};

const made = {
  workspace: {
    get isTrusted() {
      return vscode.trusted;
    },
    get workspaceFolders() {
      return vscode.folders.map((folder) => ({ uri: { fsPath: folder } }));
    },
    getConfiguration: (section: string) => ({
      get: (name: string) => vscode.settings[`${section}.${name}`],
    }),
  },
  extensions: {
    getExtension: (id: string) =>
      id === 'ms-python.python' && vscode.pythonExtension !== undefined
        ? { isActive: true, activate: () => Promise.resolve(), exports: vscode.pythonExtension }
        : undefined,
  },
};

// By names, so that modules can import them.
const SOURCE = Object.keys(made)
  .map((name) => `exports.${name} = globalThis.covlsFakeVscode.${name};`)
  .join('\n');

/** Has what is imported from now on find this one. */
export function install(): void {
  Object.assign(globalThis, { covlsFakeVscode: made });
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier === 'vscode'
        ? { url: 'covls:vscode', format: 'commonjs', shortCircuit: true }
        : next(specifier, context),
    load: (url, context, next) =>
      url === 'covls:vscode'
        ? { format: 'commonjs', source: SOURCE, shortCircuit: true }
        : next(url, context),
  });
}
