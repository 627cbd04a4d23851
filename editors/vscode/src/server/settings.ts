/** What the server is told of the user's settings. */

import { SERVER_SETTINGS } from '../protocol.ts';

/** A setting's values, as VS Code inspects them: what was said, and where. */
export interface Inspected {
  readonly globalValue?: unknown;
  readonly workspaceValue?: unknown;
  readonly workspaceFolderValue?: unknown;
  readonly globalLanguageValue?: unknown;
  readonly workspaceLanguageValue?: unknown;
  readonly workspaceFolderLanguageValue?: unknown;
}

export interface Reader {
  get(name: string): unknown;
  inspect(name: string): Inspected | undefined;
}

/**
 * The settings that somebody set, by dotted names. Defaults are left out: they would go over what
 * stands in the project's own covls.toml.
 */
export function explicit(reader: Reader): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const name of SERVER_SETTINGS) {
    const said = reader.inspect(name) ?? {};
    const set = [
      said.globalValue,
      said.workspaceValue,
      said.workspaceFolderValue,
      said.globalLanguageValue,
      said.workspaceLanguageValue,
      said.workspaceFolderLanguageValue,
    ];
    const value = set.some((one) => one !== undefined) ? reader.get(name) : undefined;
    if (value !== undefined && value !== null) {
      found[name] = value;
    }
  }
  return found;
}
