// A job's progress: each entry below the root counts once, each byte of content once, whatever the copy has to do.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { linkSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type CopyOptions, copyTree, type TreeProgress } from 'dirfd';
import { run } from '../fixtures/command.js';
import { pair } from './pair.js';

/** One directory is looked at in two parts, one file goes by three names. */
function fill(source: string): void {
  mkdirSync(join(source, 'wide'));
  mkdirSync(join(source, 'a/b'), { recursive: true });
  for (let index = 0; index < 1100; index++) writeFileSync(join(source, 'wide', `file-${index}`), '');
  writeFileSync(join(source, 'large'), 'x'.repeat(120_000));
  linkSync(join(source, 'large'), join(source, 'wide/other'));
  linkSync(join(source, 'large'), join(source, 'a/third'));
  symlinkSync('nowhere', join(source, 'a/b/link'));
}

/** As find(1) and du(1) count. */
function sizeOf(source: string): { readonly entries: number; readonly bytes: number } {
  const files = run('find', [source, '-type', 'f', '-printf', '%i %s\n']).split('\n').filter(Boolean);
  const sizes = new Map(files.map((line) => line.split(' ') as [string, string]));
  return {
    entries: run('find', [source, '-mindepth', '1', '-printf', '.']).length,
    bytes: [...sizes.values()].reduce((sum, size) => sum + Number(size), 0),
  };
}

test('progress ends at what there is, whether it had to be copied, looked at or left alone', async (t) => {
  const { source, destination, from, to } = pair(t, fill);
  const ends = async (options: CopyOptions, copied: number): Promise<void> => {
    const job = copyTree(source, destination, { reflink: 'never', ...options });
    await job;
    const { entries, bytes, unchangedBytes }: TreeProgress = job.progress;
    const all = sizeOf(source);
    assert.deepEqual({ entries, bytes }, { entries: all.entries, bytes: copied }, JSON.stringify(options));
    // What is left alone is shared out among the names of a file.
    assert.ok(Math.abs(bytes + unchangedBytes - all.bytes) < 5, `${JSON.stringify(options)}: ${unchangedBytes}`);
  };
  await ends({ dryRun: true }, 0);
  await ends({}, 120_000);
  for (const options of [{ update: true }, { checksum: true }, { existing: 'keep' }] as const) {
    await ends(options, 0);
    await ends({ ...options, dryRun: true, itemize: true }, 0);
  }
  writeFileSync(from('wide/file-7'), 'content');
  for (const name of ['x', 'y']) mkdirSync(to('stranger', name), { recursive: true });
  await ends({ update: true, dryRun: true }, 0);
  await ends({ update: true, delete: true }, 7);
  assert.equal(readdirSync(destination).includes('stranger'), false);
  rmSync(to('a'), { recursive: true });
  mkdirSync(to('a/b/link'), { recursive: true });
  await ends({ update: true, delete: 'before', exclude: 'nothing' }, 0);
});

test('progress is exact where most has changed, and the look over the tree is given up', async (t) => {
  const { source, destination, from } = pair(t, (at) => {
    for (let index = 0; index < 600; index++) {
      mkdirSync(join(at, `directory-${index}`));
      writeFileSync(join(at, `directory-${index}/file`), 'old');
    }
  });
  await copyTree(source, destination);
  for (let index = 0; index < 600; index++)
    if (index % 8 > 0) writeFileSync(from(`directory-${index}/file`), 'new one');
  const job = copyTree(source, destination, { update: true, reflink: 'never' });
  const { files } = await job;
  const { entries, bytes, unchangedBytes } = job.progress;
  assert.deepEqual([entries, bytes, unchangedBytes], [1200, 7 * files, 3 * (600 - files)]);
});

test('a single file that is left alone is an entry, too', async (t) => {
  const { destination, from, to } = pair(t, (source) => writeFileSync(join(source, 'file'), 'content'));
  mkdirSync(destination);
  await copyTree(from('file'), to('file'), { reflink: 'never' });
  const job = copyTree(from('file'), to('file'), { existing: 'keep' });
  await job;
  const { entries, bytes, unchangedBytes } = job.progress;
  assert.deepEqual([entries, bytes, unchangedBytes], [1, 0, 7]);
});

test('a file by many names counts once where one of their directories has to be visited', async (t) => {
  const { source, destination, from } = pair(t, (at) => {
    for (const name of ['a', 'b']) mkdirSync(join(at, name));
    writeFileSync(join(at, 'a/linked'), 'linked');
    linkSync(join(at, 'a/linked'), join(at, 'b/linked'));
    writeFileSync(join(at, 'b/other'), 'old');
  });
  await copyTree(source, destination);
  writeFileSync(from('b/other'), 'new one');
  const job = copyTree(source, destination, { update: true, reflink: 'never' });
  await job;
  const { entries, bytes, unchangedBytes } = job.progress;
  assert.deepEqual([entries, bytes], [5, 7]);
  assert.ok(Math.abs(unchangedBytes - 6) < 2, `${unchangedBytes}`);
});
