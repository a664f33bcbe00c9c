// What a version says of where it came from, by which the next one finds it and retention counts.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { mkdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { DirectoryFd } from 'dirfd';
import { BackupManager } from 'dirfd/backup';
import { quickTemporaryRoot, temporaryDirectory } from '../fixtures/temporary.js';

test('the source is the real path: two directories opened as "." are two, one opened by two paths is one', async (t) => {
  const path = temporaryDirectory(t, 'dirfd-test-', quickTemporaryRoot());
  mkdirSync(join(path, 'data/deep'), { recursive: true });
  mkdirSync(join(path, 'store'));
  await using backups = await BackupManager.open(join(path, 'store'));
  const before = process.cwd();
  t.after(() => process.chdir(before));
  const sources: string[] = [];
  for (const [at, name] of [
    ['data', '.'],
    ['data/deep', '.'],
    ['.', 'data'],
  ] as const) {
    process.chdir(join(path, at));
    await using directory = await DirectoryFd.open(name);
    sources.push((await backups.createBackup(directory, '.')).source);
  }
  const real = realpathSync(path);
  assert.deepEqual(sources, [`${real}/data`, `${real}/data/deep`, `${real}/data`]);
});
