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
afterEach((context) => bench.tidy(context));
after(() => bench.stop());

/** The processes of the server that the extension carries, without what they start themselves. */
function servers(): number[] {
  const found = new Map<number, number>();
  for (const name of readdirSync('/proc').filter((one) => /^\d+$/.test(one))) {
    try {
      const line = readFileSync(`/proc/${name}/cmdline`, 'utf8');
      if (line.includes(`${PLACES.extensions}${path.sep}`) && line.includes('serve.py')) {
        const parent = /^PPid:\s*(\d+)$/m.exec(readFileSync(`/proc/${name}/status`, 'utf8'))?.[1];
        found.set(Number(name), Number(parent));
      }
    } catch {
      // It is gone already.
    }
  }
  return [...found].filter(([, parent]) => !found.has(parent)).map(([pid]) => pid);
}

function has(kinds: Record<string, string>, wanted: Record<string, string>): boolean {
  return Object.entries(wanted).every(([line, kind]) => kinds[line] === kind);
}

test('in Restricted Mode marks are there, and nothing is run', async () => {
  bench.shows('trust');
  bench.settings({
    'security.workspace.trust.enabled': true,
    'security.workspace.trust.startupPrompt': 'never',
  });
  const window = await bench.open(path.join(PROJECTS, 'shop'), 'shop.py');
  await until(() => window.kinds(), (kinds) => has(kinds, SHOP), 'marks');
  await window.page.getByText('Restricted Mode').first().waitFor();
  const run = (await window.menu()).filter({ hasText: 'Run all tests' });
  await run.waitFor();
  assert.match((await run.textContent()) ?? '', /not in Restricted Mode/);
  await window.picture('restricted');
  await window.page.keyboard.press('Escape');
});

test('tests are run by a command and on save, and the marks follow', async () => {
  bench.shows('run', 'run on save', 'new data', 'settings');
  const folder = path.join(PROJECTS, 'runs');
  // The one with pytest. code-server gives extensions the PATH of a login shell, not its own.
  bench.settings({ 'covls.python': EXPECTED.python, 'covls.run.onSave': 'file' });
  const window = await bench.open(folder, 'shop.py');
  await until(() => window.kinds(), (kinds) => has(kinds, SHOP), 'marks');
  const tests = 'from shop import price\n\n\ndef test_member():\n    assert price(10, True) == 9\n';
  writeFileSync(path.join(folder, 'test_member.py'), tests);
  await window.command('covls: Run the tests of this file');
  const member = { ...SHOP, 5: 'covered', 6: 'covered' };
  await until(() => window.kinds(), (kinds) => has(kinds, member), 'marks of what ran');
  await until(() => window.status(), (text) => /\d+ %/.test(text), 'the figure after the run');
  await window.picture('run');

  // What reaches the file is run when it is saved.
  await window.page.locator('.editor-instance .view-lines').first().click();
  await window.goTo(11);
  await window.page.keyboard.press('Home');
  await window.page.keyboard.type('print("saved")');
  await window.page.keyboard.press('Enter');
  await until(() => window.kinds(), (kinds) => kinds[11] === 'edited', 'a line that is new');
  await window.page.keyboard.press('Control+s');
  const saved = { ...member, 11: 'missing', 12: 'missing' };
  await until(() => window.kinds(), (kinds) => has(kinds, saved), 'marks of what was run on save');
  await window.picture('run-on-save');
});

test('each folder of a workspace with several has its own figures', async () => {
  const window = await bench.open(path.join(PROJECTS, 'two.code-workspace'), 'shop/shop.py');
  await until(() => window.kinds(), (kinds) => has(kinds, SHOP), 'marks in the first');
  const rows = await window.menu();
  for (const name of ['shop', 'other']) {
    await rows.filter({ hasText: name }).filter({ hasText: /\d+ %/ }).first().waitFor();
  }
  await window.picture('two-folders');
  await window.page.keyboard.press('Escape');
  await window.show('other/shop.py');
  await until(() => window.kinds(), (kinds) => has(kinds, SHOP), 'marks in the second');
  assert.match(await window.status(), /\d+ %/);
});

test('a server that is killed is started again, but not for ever', async () => {
  bench.shows('restart');
  // A window of its own: what is killed here is said in messages.
  bench.settings({});
  const window = await bench.open(EXPECTED.click, 'src/click/globals.py');
  const bars = async () => Object.keys(await window.kinds()).length;
  await until(bars, (count) => count > 5, 'marks');
  const gaveUp = window.page.locator('.notification-list-item', { hasText: 'not started any more' });
  const killed: number[] = [];
  for (;;) {
    const next = await until(
      async () => ({
        pid: servers().find((pid) => !killed.includes(pid)),
        over: (await gaveUp.count()) > 0,
      }),
      ({ pid, over }) => pid !== undefined || over,
      'a new server, or the message that there is none any more',
    );
    if (next.pid === undefined) {
      break;
    }
    if (killed.length === 1) {
      // One that was killed once is as if nothing had been.
      await until(bars, (count) => count > 5, 'marks again');
      await until(() => window.status(), (text) => /\d+ %/.test(text), 'the figure again');
    }
    assert.ok(killed.length < 10, 'it is started for ever');
    process.kill(next.pid, 'SIGKILL');
    killed.push(next.pid);
    await until(bars, (count) => count === 0, 'no marks without a server');
  }
  assert.equal(killed.length, 5, `killed ${killed.length} times`);
  await window.picture('given-up');
  await gaveUp.getByText('Restart').first().click();
  await until(bars, (count) => count > 5, 'marks after a restart by hand');
});

test('a Python that does not do gives one message with a button', async () => {
  bench.settings({ 'covls.interpreter': '/nowhere/python' });
  const window = await bench.open(path.join(PROJECTS, 'shop'), 'shop.py');
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
  const window = await bench.open(path.join(PROJECTS, 'shop'), 'shop.py');
  await until(() => window.kinds(), (kinds) => has(kinds, SHOP), 'marks');
  await until(() => Promise.resolve(servers()), (pids) => pids.length === 1, 'one server');
  await bench.close();
  await until(() => Promise.resolve(servers()), (pids) => pids.length === 0, 'no server');
});
