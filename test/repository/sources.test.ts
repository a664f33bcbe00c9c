import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

const listed = readFileSync('native/sources.txt', 'utf8').trimEnd().split('\n');

test('native/sources.txt lists every .cpp below native, and nothing else', () => {
  const present = readdirSync('native', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.cpp'))
    .map((name) => `native/${name}`);
  assert.deepEqual([...listed].sort(), present.sort());
});

test('native/sources.txt is sorted, so that two branches rarely meet on a line', () => {
  assert.deepEqual(listed, [...listed].sort());
});
