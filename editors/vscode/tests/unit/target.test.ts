import assert from 'node:assert/strict';
import { test } from 'node:test';

import { inPanel, isPage, targetOf } from '../../src/report/target.ts';

for (const [setting, remote, target] of [
  ['auto', false, 'browser'],
  ['auto', true, 'panel'],
  ['browser', true, 'browser'],
  ['panel', false, 'panel'],
  [undefined, false, 'browser'],
] as const) {
  test(`set to ${setting ?? 'nothing'}, ${remote ? 'elsewhere' : 'here'}: the ${target}`, () => {
    assert.equal(targetOf(setting, remote), target);
  });
}

for (const [href, page] of [
  ['z_1234_shop_py.html#t12', true],
  ['index.html', true],
  ['../secret.html', false],
  ['/etc/passwd', false],
  ['https://example.org/a.html', false],
  ['style.css', false],
] as const) {
  test(`${href} is ${page ? 'a page' : 'no page'} of the report`, () => {
    assert.equal(isPage(href), page);
  });
}

test('a page finds what it needs beside it, and nothing elsewhere', () => {
  const page = inPanel('<html><head><title>x</title></head></html>', 'https://f', 'vs:', 't"12');
  assert.match(page, /<head><base href="https:\/\/f\/">/);
  assert.match(page, /default-src 'none'/);
  assert.match(page, /getElementById\("t\\"12"\)/);
});
