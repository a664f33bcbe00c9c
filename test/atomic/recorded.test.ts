// What atomic writes leave in an audit trail, and what becomes of the write where that fails; what is tried again, and what is refused.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { DirectoryFd, FsError } from 'dirfd';
import {
  AtomicWriter,
  cleanupBackups,
  cleanupTemporaryFiles,
  mergeConfig,
  setGlobalAuditTrail,
  writeChunks,
  writeConfigAtomically,
  writeText,
} from 'dirfd/atomic';
import { type AuditEntry, verifyAuditTrail } from 'dirfd/audit';
import { rejects } from '../dirfd/scratch.js';
import { temporaryDirectory } from '../fixtures/temporary.js';

test('a trail that was given by a relative path is one, wherever the process goes', async (t) => {
  const path = temporaryDirectory(t);
  const before = process.cwd();
  t.after(() => {
    process.chdir(before);
    setGlobalAuditTrail(undefined);
  });
  mkdirSync(join(path, 'other'));
  process.chdir(path);
  setGlobalAuditTrail('t.jsonl');
  await writeText(join(path, 'a'), '');
  process.chdir('other');
  await writeText(join(path, 'a'), '');
  assert.deepEqual(readdirSync(join(path, 'other')), []);
  assert.equal((await verifyAuditTrail(path, 't.jsonl')).records, 2);
});

test('a writer whose record fails has committed all the same', async (t) => {
  const path = temporaryDirectory(t);
  const audit = { record: async () => Promise.reject(new Error('full')) };
  await using writer = new AtomicWriter(join(path, 'file'), { audit });
  await writer.writeText('new');
  await assert.rejects(writer.commit(), /full/);
  assert.equal(readFileSync(join(path, 'file'), 'utf8'), 'new');
  assert.equal(writer.committed, true);
});

test('what is cleaned up is recorded', async (t) => {
  const path = temporaryDirectory(t);
  mkdirSync(join(path, 'backups'));
  const heard: unknown[] = [];
  const audit = { record: async ({ operation, removed }: AuditEntry) => heard.push([operation, removed]) };
  writeFileSync(join(path, `.dirfd-write-${'ab'.repeat(16)}`), 'of a dead writer');
  await cleanupTemporaryFiles(path, { audit });
  await cleanupBackups(path, 0, { audit });
  assert.deepEqual(heard, [
    ['cleanup-temporary-files', 1],
    ['cleanup-backups', []],
  ]);
  await rejects(cleanupBackups(''), 'ERR_DIRFD_INVALID_PATH');
});

test('a directory that cannot be opened for want of descriptors is tried again', async (t) => {
  const path = temporaryDirectory(t);
  const { open } = DirectoryFd;
  let failures = 0;
  t.mock.method(DirectoryFd, 'open', async (...how: Parameters<typeof open>) => {
    if (failures-- > 0) throw new FsError('too many open files', { code: 'EMFILE' });
    return open.apply(DirectoryFd, how);
  });
  const writes = {
    text: () => writeText(join(path, 'a'), ''),
    verified: () => writeText(join(path, 'a'), '', { verify: true }),
    chunks: () => writeChunks(join(path, 'a'), ['']),
    config: () => writeConfigAtomically(join(path, 'a'), {}),
    merged: () => mergeConfig([], join(path, 'a'), { strategy: 'replace' }),
  };
  for (const [what, write] of Object.entries(writes)) {
    failures = 2;
    await write();
    assert.equal(failures < 0, true, what);
    failures = 3;
    await rejects(write(), 'EMFILE');
  }
});

test('data that no stack is deep enough for is a ContentError', async (t) => {
  const path = temporaryDirectory(t);
  writeFileSync(join(path, 'self.yaml'), 'a: &a\n  b: *a\n');
  writeFileSync(join(path, 'deep.json'), `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`);
  for (const name of ['self.yaml', 'deep.json']) {
    await rejects(mergeConfig([join(path, name)], join(path, 'out.json')), 'ERR_DIRFD_INVALID_CONTENT');
  }
});
