import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { SERVER_SETTINGS } from '../../src/protocol.ts';
import { explicit, type Inspected } from '../../src/server/settings.ts';

function reader(said: Record<string, Inspected>, values: Record<string, unknown>) {
  return { get: (name: string) => values[name], inspect: (name: string) => said[name] };
}

test('defaults are not sent: they would go over the covls.toml of the project', () => {
  const defaults = { 'diagnostics.severity': { defaultValue: 'hint' } as Inspected };
  assert.deepEqual(explicit(reader(defaults, { 'diagnostics.severity': 'hint' })), {});
});

test('what is set anywhere is sent, as it is in force', () => {
  const said = { 'lens.enable': { workspaceFolderValue: false }, roots: { globalValue: ['a'] } };
  const values = { 'lens.enable': false, roots: ['b'] };
  assert.deepEqual(explicit(reader(said, values)), { 'lens.enable': false, roots: ['b'] });
});

test('null is unset, and what is the own of the extension stays here', () => {
  const said = { python: { globalValue: null }, 'gutter.enable': { globalValue: false } };
  assert.deepEqual(explicit(reader(said, { python: null, 'gutter.enable': false })), {});
});

interface Manifest {
  contributes: {
    commands: { command: string; title: string; category: string }[];
    keybindings?: unknown;
    configuration: { properties: Record<string, { scope: string; markdownDescription: string }> }[];
  };
  capabilities: { untrustedWorkspaces: { restrictedConfigurations: string[] } };
}

const MANIFEST = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
) as Manifest;

const CONTRIBUTED = Object.assign(
  {},
  ...MANIFEST.contributes.configuration.map((part) => part.properties),
) as Manifest['contributes']['configuration'][0]['properties'];

test('every setting of the server can be set', () => {
  const missing = SERVER_SETTINGS.filter((name) => CONTRIBUTED[`covls.${name}`] === undefined);
  assert.deepEqual(missing, []);
});

test('every setting has a description and a scope', () => {
  for (const [name, setting] of Object.entries(CONTRIBUTED)) {
    assert.ok(setting.markdownDescription.endsWith('.'), name);
    assert.ok(['window', 'resource', 'machine-overridable'].includes(setting.scope), name);
  }
});

test('whatever names a program is restricted', () => {
  const { restrictedConfigurations } = MANIFEST.capabilities.untrustedWorkspaces;
  for (const name of ['path', 'interpreter', 'importStrategy', 'python', 'run.command', 'run.arguments']) {
    assert.ok(restrictedConfigurations.includes(`covls.${name}`), name);
  }
});

test('commands are under "covls:", and take no keys', () => {
  assert.equal(MANIFEST.contributes.keybindings, undefined);
  for (const { command, category } of MANIFEST.contributes.commands) {
    assert.equal(category, 'covls');
    assert.match(command, /^covls\.command\./);
  }
});

test('every command that is contributed is registered, and the other way round', () => {
  const text = readFileSync(new URL('../../src/commands.ts', import.meta.url), 'utf8');
  for (const { command } of MANIFEST.contributes.commands) {
    assert.match(text, new RegExp(`\\b${command.replace('covls.command.', '')}\\b`), command);
  }
  for (const [, name] of text.matchAll(/register\('(\w+)'/g)) {
    const known = MANIFEST.contributes.commands.some((one) => one.command === `covls.command.${name!}`);
    assert.ok(known, name);
  }
});
