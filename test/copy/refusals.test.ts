// What cannot be copied is refused with a reason, before or without harm.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { linkSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { copyTree, DirectoryFd } from 'dirfd';
import { run } from '../fixtures/command.js';
import { assertSameTree } from '../fixtures/compare.js';
import { mounted } from '../fixtures/mounts.js';
import { requireRoot } from '../fixtures/tools.js';
import { everyByte } from '../fixtures/trees/plain.js';
import { plain } from '../fixtures/trees.js';
import { pair } from './pair.js';

const refuses = (job: PromiseLike<unknown>, code: string, message?: string) =>
  assert.rejects(async () => await job, { name: 'FsError', code }, message);

test('a destination that is a file, where the source is a directory', async (t) => {
  const { source, destination } = pair(t, plain);
  writeFileSync(destination, 'precious');
  await refuses(copyTree(source, destination), 'ENOTDIR');
  assert.equal(readFileSync(destination, 'utf8'), 'precious');
});

test('a destination that is a directory, where the source is a file', async (t) => {
  const { destination, from, to } = pair(t, plain);
  mkdirSync(destination);
  writeFileSync(to('precious'), '');
  await refuses(copyTree(from('readme.md'), destination), 'EISDIR');
  assert.deepEqual(readdirSync(destination), ['precious']);
});

test('a destination that is a link to nowhere', async (t) => {
  const { source, destination, base } = pair(t, plain);
  symlinkSync('nowhere', destination);
  await refuses(copyTree(source, destination), 'EEXIST');
  assert.deepEqual(readdirSync(base).sort(), ['destination', 'source']);
});

test('a file that is to become itself, by its name, a link or another name of it', async (t) => {
  const { source, from } = pair(t);
  writeFileSync(from('file'), 'precious');
  linkSync(from('file'), from('other'));
  for (const name of ['file', 'other']) {
    await refuses(copyTree(from('file'), from(name)), 'ERR_DIRFD_INVALID_ARGUMENT', name);
  }
  await using held = await DirectoryFd.open(source);
  await refuses(copyTree(from('file'), held), 'ERR_DIRFD_INVALID_ARGUMENT');
  assert.equal(readFileSync(from('file'), 'utf8'), 'precious');
});

test('a source that is a device is not opened', async (t) => {
  if (!requireRoot(t)) return;
  const { destination, from, base } = pair(t);
  run('mknod', [from('zero'), 'c', '1', '5']);
  await refuses(copyTree(from('zero'), destination), 'ERR_DIRFD_NOT_REGULAR');
  assert.deepEqual(readdirSync(base), ['source']);
});

test('a source inside the destination is copied out of it', async (t) => {
  const { source, base } = pair(t, plain);
  await copyTree(source, base);
  run('cp', ['-a', source, `${base}-kept`]);
  t.after(() => void run('rm', ['-r', `${base}-kept`]));
  run('rm', ['-r', source]);
  // Removing it has changed the time of the directory that it was in.
  run('touch', ['-r', `${base}-kept`, base]);
  assertSameTree(`${base}-kept`, base);
});

test('no space left, in a directory that was there: the rest is copied, nothing half made is left', async (t) => {
  const place = mounted(t, 'tmpfs', { megabytes: 1 });
  if (place === undefined) return;
  const { source, from } = pair(t);
  const content = everyByte(300_000);
  for (let index = 0; index < 6; index++) writeFileSync(from(`file-${index}`), content);
  const { errors, files, exitCode } = await copyTree(source, place, { onError: 'continue' });
  assert.ok(files >= 1 && errors.length === 6 - files, `${files} files, ${errors.length} errors`);
  for (const { error } of errors) assert.deepEqual([error.code, error.directory], ['ENOSPC', place]);
  assert.equal(exitCode, 23);
  assert.equal(readdirSync(place).length, files);
  for (const name of readdirSync(place)) assert.deepEqual(readFileSync(`${place}/${name}`), content);
});
