// Trees as deep and directories as wide as somebody may make them. DIRFD_TEST_DEPTH and DIRFD_TEST_WIDTH make them larger.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { closeSync, mkdirSync, openSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { copyTree, removeTree, verifyTree, walk } from 'dirfd';
import { assertComplete } from '../copy/pair.js';
import { quickTemporaryRoot, temporaryDirectory } from '../fixtures/temporary.js';
import { inside, withDirectory } from '../fixtures/trees/pinned.js';
import { deep } from '../fixtures/trees.js';

const depth = Number(process.env.DIRFD_TEST_DEPTH ?? 2000);
const width = Number(process.env.DIRFD_TEST_WIDTH ?? 20_000);

test(`a chain of ${depth} directories is copied, compared and removed`, async (t) => {
  const base = temporaryDirectory(t, 'dirfd-deep-', quickTemporaryRoot());
  const [source, copy] = [join(base, 'source'), join(base, 'copy')];
  mkdirSync(source);
  deep(source, depth, 6);
  const report = await copyTree(source, copy);
  assertComplete(report);
  assert.deepEqual([report.directories, report.files], [depth, 1]);
  const { same, entries } = await verifyTree(source, copy);
  assert.ok(same && entries > depth, `${entries} entries`);
  for (const tree of [source, copy]) assert.equal((await removeTree(tree)).entries, depth + 2);
  assert.deepEqual(readdirSync(base), []);
});

test(`a directory of ${width} files is walked, copied, compared and removed`, async (t) => {
  const base = temporaryDirectory(t, 'dirfd-wide-', quickTemporaryRoot());
  const [source, copy] = [join(base, 'source'), join(base, 'copy')];
  mkdirSync(source);
  withDirectory(source, (fd) => {
    for (let index = 0; index < width; index++) closeSync(openSync(inside(fd, `file-${index}`), 'w'));
  });
  const names = new Set<string>();
  for await (const entry of walk(source)) names.add(entry.name);
  assert.equal(names.size, width);
  const report = await copyTree(source, copy);
  assertComplete(report);
  assert.equal(report.files, width);
  assert.equal(readdirSync(copy).length, width);
  assert.ok((await verifyTree(source, copy)).same);
  assert.equal((await removeTree(copy)).entries, width + 1);
});
