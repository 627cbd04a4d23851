import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Restarts } from '../../src/server/restarts.ts';

test('a server that ends at once is started again with longer and longer pauses, not for ever', () => {
  const restarts = new Restarts();
  const pauses = [0, 0, 0, 0, 0].map((lived) => restarts.pauseAfter(lived));
  assert.deepEqual(pauses, [500, 2_000, 5_000, 15_000, undefined]);
});

test('one that lived for a while is as good as new', () => {
  const restarts = new Restarts();
  restarts.pauseAfter(0);
  restarts.pauseAfter(0);
  assert.equal(restarts.pauseAfter(10 * 60_000), 500);
});
