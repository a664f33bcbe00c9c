// A file of several names is remembered until its last name has come, and in few bytes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { HardLinks, type Name } from '#dist/copy/hard-links.js';
import { DECISION } from '#dist/native/trees.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function memory(): number {
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

const keyOf = (index: number) => `35:2049:${1_000_000 + index}`;
const copyOf = (index: number) => ({
  path: Buffer.from(`some/directory/of/a/tree/number-${index >> 5}/file-${index}`),
  ticket: Buffer.alloc(40, index & 0xff),
});
const name = { decision: DECISION.create, present: undefined } as Name<undefined>;

test('a file whose other name is far away costs less than 300 bytes, and nothing once it has come', async (t) => {
  const count = 100_000;
  const links = new HardLinks<undefined>();
  const before = memory();
  for (let index = 0; index < count; index++) {
    assert.equal(links.claim(keyOf(index), 2, name), 'first');
    links.done(keyOf(index), copyOf(index));
  }
  const each = (memory() - before) / count;
  t.diagnostic(`${each.toFixed(0)} bytes a file`);
  assert.ok(each < 300, `${each.toFixed(0)} bytes a file`);
  for (let index = 0; index < count; index++) {
    const first = links.claim(keyOf(index), 2, name);
    assert.deepEqual(typeof first === 'object' && first.path, copyOf(index).path);
  }
  // What else the process does between two readings, the test runner's own work for one, is garbage soon.
  let left = Number.POSITIVE_INFINITY;
  for (let reading = 0; left >= 10 && reading < 20; reading++) {
    await sleep(50);
    left = (memory() - before) / count;
  }
  assert.ok(left < 10, `${left.toFixed(0)} bytes a file are left`);
  assert.equal(links.claim(keyOf(0), 2, name), 'first', 'a name too many begins anew');
});

test('a file of many names is kept until the last; names that came early wait, and one of them takes the place of a first that failed', () => {
  const links = new HardLinks<number>();
  const at = (directory: number) => ({ ...name, directory }) as unknown as Name<number>;
  assert.equal(links.claim('key', 6, at(1)), 'first');
  assert.equal(links.claim('key', 6, at(2)), undefined);
  assert.equal(links.claim('key', 6, at(3)), undefined);
  assert.equal(links.failed('key')?.directory, 2);
  assert.deepEqual(
    links.done('key', copyOf(1)).map(({ directory }) => directory),
    [3],
  );
  for (let later = 0; later < 3; later++) assert.deepEqual(links.claim('key', 6, at(4)), copyOf(1));
  assert.equal(links.claim('key', 6, at(5)), 'first');
});
