/** Workspaces of all kinds, and what can go wrong: no trust, several folders, no server, no Python. */

import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { after, afterEach, before, test } from 'node:test';

import { EXPECTED, PLACES, PROJECTS } from './places.ts';
import { until, Workbench } from './workbench.ts';

const bench = new Workbench(PLACES);
const SHOP = { 4: 'covered', 5: 'partial', 6: 'missing', 7: 'covered', 10: 'covered', 11: 'missing' };

before(() => bench.start());
afterEach(() => bench.tidy());
after(() => bench.stop());

/** The processes of the server that the extension carries. */
function servers(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        const line = readFileSync(`/proc/${name}/cmdline`, 'utf8');
        return line.includes(`${PLACES.extensions}${path.sep}`) && line.includes('serve.py');
      } catch {
        return false;
      }
    })
    .map(Number);
}

function has(kinds: Record<string, string>, wanted: Record<string, string>): boolean {
  return Object.entries(wanted).every(([line, kind]) => kinds[line] === kind);
}

test('in Restricted Mode marks are there, and nothing is run', async () => {
  bench.settings({
    'security.workspace.trust.enabled': true,
    'security.workspace.trust.startupPrompt': 'never',
  });
  const window = await bench.open(path.join(PROJECTS, 'shop'), ['shop.py']);
  await until(() => window.kinds(), (kinds) => has(kinds, SHOP), 'marks');
  await window.page.getByText('Restricted Mode').first().waitFor();
  await window.page.locator('[id="covls.covls.covls"] a').click();
  const run = window.page.locator('.quick-input-list .monaco-list-row', { hasText: 'Run all tests' });
  await run.waitFor();
  assert.match((await run.textContent()) ?? '', /not in Restricted Mode/);
  await window.picture('restricted');
  await window.page.keyboard.press('Escape');
});

test('tests are run by a command, and the marks follow', async () => {
  const folder = path.join(PROJECTS, 'runs');
  // The one with pytest. code-server gives extensions the PATH of a login shell, not its own.
  bench.settings({ 'covls.python': EXPECTED.python });
  const window = await bench.open(folder, ['shop.py']);
  await until(() => window.kinds(), (kinds) => has(kinds, SHOP), 'marks');
  writeFileSync(
    path.join(folder, 'test_member.py'),
    'from shop import price\n\n\ndef test_member():\n    assert price(10, True) == 9\n',
  );
  await window.command('covls: Run all tests');
  const member = { ...SHOP, 5: 'covered', 6: 'covered' };
  await until(() => window.kinds(), (kinds) => has(kinds, member), 'marks of what ran');
  await window.picture('run');
});

test('each folder of a workspace with several has its own figures', async () => {
  const window = await bench.open(path.join(PROJECTS, 'two.code-workspace'), [
    'other/shop.py',
    'shop/shop.py',
  ]);
  await until(() => window.kinds(), (kinds) => has(kinds, SHOP), 'marks in the first');
  await window.page.locator('.tab', { hasText: 'other' }).click();
  await until(() => window.kinds(), (kinds) => has(kinds, SHOP), 'marks in the second');
  await window.page.locator('[id="covls.covls.covls"] a').click();
  for (const name of ['shop', 'other']) {
    const row = window.page.locator('.quick-input-list .monaco-list-row', { hasText: name });
    await row.filter({ hasText: /\d+ %/ }).first().waitFor();
  }
  await window.picture('two-folders');
});

test('a server that is killed is started again, and the marks come back', async () => {
  const window = await bench.open(EXPECTED.click, ['src/click/globals.py']);
  const right = async () => Object.keys(await window.kinds()).length;
  await until(right, (count) => count > 5, 'marks');
  const before = await until(() => Promise.resolve(servers()), (pids) => pids.length === 1, 'one server');
  process.kill(before[0]!, 'SIGKILL');
  await until(right, (count) => count === 0, 'no marks without a server');
  await until(right, (count) => count > 5, 'marks again');
  const now = servers();
  assert.equal(now.length, 1);
  assert.notDeepEqual(now, before);
  assert.match(await window.status(), /\d+ %/);
});

test('a Python that does not do gives one message with a button', async () => {
  bench.settings({ 'covls.interpreter': '/nowhere/python' });
  const window = await bench.open(path.join(PROJECTS, 'shop'), ['shop.py']);
  const message = window.page.locator('.notification-list-item', { hasText: 'Python 3.11 or newer' });
  await message.first().waitFor();
  assert.equal(await message.count(), 1);
  assert.match((await message.textContent()) ?? '', /\/nowhere\/python \(not there\)/);
  await message.getByText('Choose Python').first().waitFor();
  await window.picture('no-python');
  bench.settings({});
  await window.reload();
  await until(() => window.kinds(), (kinds) => has(kinds, SHOP), 'marks once it is mended');
  bench.settings({});
});

test('when the window is gone, so is the server', async () => {
  await until(() => Promise.resolve(servers()), (pids) => pids.length === 0, 'no server', 60_000);
});
