// `dirfd audit`: what it prints of a trail, and how it ends.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { AuditTrail } from 'dirfd/audit';
import { temporaryDirectory } from '../fixtures/temporary.js';
import { dirfd, jsonLines } from './run-command.js';

test('verifies, shows and sums up', async (t) => {
  const path = temporaryDirectory(t);
  const file = join(path, 'a.jsonl');
  {
    await using trail = await AuditTrail.open(path, 'a.jsonl', { fsync: 'none' });
    const facts = { id: '1', time: '2026-01-01T00:00:00.000Z', duration: 2 };
    await trail.record({ ...facts, operation: 'write', path: 'a\nb', outcome: 'done' });
    await trail.record({ ...facts, operation: 'copy', outcome: 'failed', error: { message: 'no room' } });
  }
  const verified = dirfd(['audit', 'verify', file]);
  assert.equal(verified.status, 0);
  assert.match(verified.stdout, /^intact: 2 records in 1 file, the last is 2 [0-9a-f]{64}\n$/);
  assert.match(
    dirfd(['audit', 'show', file]).stdout,
    /^ +1 .* done +write +2\.0 ms {2}a\\nb\n +2 .* failed +copy .*\(no room\)\n$/,
  );
  assert.deepEqual(
    jsonLines(dirfd(['audit', 'show', '--failed', '--last=1', '--json', file]).stdout).map(({ sequence }) => sequence),
    [2],
  );
  assert.match(dirfd(['audit', 'summary', file]).stdout, /^operation .*\ncopy +0 +1 /);
  const last = verified.stdout.slice(-65).trim();
  assert.equal(dirfd(['audit', 'verify', `--expected=2:${last}`, file]).status, 0);
  const cut = dirfd(['audit', 'verify', `--expected=3:${last}`, file]);
  assert.deepEqual([cut.status, /record 3 is not the one expected/.test(cut.stdout)], [1, true]);
  assert.equal(dirfd(['audit', 'verify', '--expected=2', file]).status, 2);
  for (const [text, status, told] of [
    ['', 0, /is empty/],
    ['no record\n', 1, /^NO TRAIL: 10 bytes/],
  ] as const) {
    writeFileSync(join(path, 'other'), text);
    const ran = dirfd(['audit', 'verify', join(path, 'other')]);
    assert.deepEqual([ran.status, told.test(ran.stdout + ran.stderr)], [status, true], ran.stdout);
  }
  const whole = readFileSync(file, 'utf8');
  assert.equal(dirfd(['audit', 'show', join(path, 'other')]).status, 1, 'no record at all');
  writeFileSync(file, `${whole}torn`);
  assert.equal(dirfd(['audit', 'show', file]).status, 0);
  writeFileSync(file, whole.replace('"write"', JSON.stringify('\x1b[2Jwrite')).replace('\n', '\nno record\n'));
  for (const action of ['show', 'summary']) {
    const { status, stdout, stderr } = dirfd(['audit', action, file]);
    assert.deepEqual([status, stderr], [1, 'dirfd audit: stopped at a.jsonl, line 2: not a record\n']);
    assert.match(stdout, /\\e\[2Jwrite /);
  }
  writeFileSync(file, whole.replace('write', 'wrote'));
  const broken = dirfd(['audit', 'verify', file]);
  assert.equal(broken.status, 1);
  assert.match(broken.stdout, /^BROKEN after 1 record in 1 file: a\.jsonl, line 2: record 2 does not follow/);
  assert.equal(dirfd(['audit', 'guess', file]).status, 2);
});
