// What atomic writes leave in an audit trail, and what becomes of the write where that fails.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { AtomicWriter, setGlobalAuditTrail, writeText } from 'dirfd/atomic';
import { verifyAuditTrail } from 'dirfd/audit';
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
