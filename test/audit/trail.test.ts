// AuditTrail: the chain against sha256sum, tampering, crashes, several writers, rotation.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import {
  appendFileSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { DirectoryFd } from 'dirfd';
import {
  type AuditEntry,
  AuditTrail,
  formatAuditSummary,
  getGlobalAuditTrail,
  readAuditTrail,
  StorageError,
  setGlobalAuditTrail,
  summarizeAuditTrail,
  verifyAuditTrail,
} from 'dirfd/audit';
import { observed } from '#dist/audit/observe.js';
import { run } from '../fixtures/command.js';
import { repositoryRoot } from '../fixtures/repository.js';
import { temporaryDirectory } from '../fixtures/temporary.js';

const entry = (operation = 'write', more = {}): AuditEntry => ({
  operation,
  id: '1',
  time: '2026-01-01T00:00:00.000Z',
  outcome: 'done',
  duration: 1,
  ...more,
});

async function filled(t: TestContext, records: number, options = {}): Promise<string> {
  const path = temporaryDirectory(t);
  await using trail = await AuditTrail.open(path, 'a', { fsync: 'none', ...options });
  for (let i = 0; i < records; i++) await trail.record(entry(`op${i}`));
  return path;
}

const lines = (path: string, name = 'a') => readFileSync(join(path, name), 'utf8').trimEnd().split('\n');

test('each line has the SHA-256 of the one before, as sha256sum computes it', async (t) => {
  const path = await filled(t, 3);
  const found = lines(path);
  assert.equal(JSON.parse(found[0]!).previous, '0'.repeat(64));
  for (let i = 1; i < 3; i++) {
    const sum = run('sha256sum', [], { input: found[i - 1] }).slice(0, 64);
    assert.deepEqual([JSON.parse(found[i]!).previous, JSON.parse(found[i]!).sequence], [sum, i + 1]);
  }
  const { intact, last } = await verifyAuditTrail(path, 'a');
  assert.deepEqual([intact, last.hash], [true, run('sha256sum', [], { input: found[2] }).slice(0, 64)]);
});

test('a record that was changed, taken out, put in or moved is found, and where', async (t) => {
  const tamper: Record<string, (all: string[]) => string[]> = {
    changed: (all) => all.with(1, all[1]!.replace('op1', 'op9')),
    'taken out': (all) => all.toSpliced(1, 1),
    'put in': (all) => all.toSpliced(2, 0, all[1]!),
    moved: (all) => [all[0]!, all[2]!, all[1]!, all[3]!, all[4]!],
    'made no record': (all) => all.with(1, 'x'),
  };
  for (const [what, change] of Object.entries(tamper)) {
    const path = await filled(t, 5);
    writeFileSync(join(path, 'a'), `${change(lines(path)).join('\n')}\n`);
    const { intact, fault } = await verifyAuditTrail(path, 'a');
    assert.equal(intact, false, what);
    assert.ok(fault && fault.line >= 2 && fault.line <= 3, `${what}: ${JSON.stringify(fault)}`);
  }
});

test('an end that was cut off is found by the hash that was kept', async (t) => {
  const path = await filled(t, 5);
  const { last } = await verifyAuditTrail(path, 'a');
  writeFileSync(join(path, 'a'), `${lines(path).slice(0, 3).join('\n')}\n`);
  assert.equal((await verifyAuditTrail(path, 'a')).intact, true);
  assert.equal((await verifyAuditTrail(path, 'a', { expected: last })).intact, false);
});

test('whatever a crash leaves of the last line is cut off and told, and is no tampering', async (t) => {
  const path = await filled(t, 3);
  const whole = readFileSync(join(path, 'a'));
  const last = Buffer.from(`${lines(path)[2]}\n`);
  for (let kept = 1; kept < last.length; kept += 7) {
    const torn = Buffer.concat([whole.subarray(0, whole.length - last.length), last.subarray(0, kept)]);
    writeFileSync(join(path, 'a'), torn);
    const before = await verifyAuditTrail(path, 'a');
    assert.deepEqual([before.intact, before.records, before.torn], [true, 2, kept]);
    await (await AuditTrail.open(path, 'a', { fsync: 'none' })).close();
    const after = await verifyAuditTrail(path, 'a');
    assert.deepEqual([after.intact, after.records, after.torn], [true, 3, 0]);
    const { operation, bytes } = JSON.parse(lines(path)[2]!);
    assert.deepEqual([operation, bytes], ['audit.cut', kept]);
  }
  // The first line, and blocks that never reached the disk.
  for (const torn of ['{"seq', '\0\0\0\0', '{"sequence":1,"previous":"00']) {
    writeFileSync(join(path, 'a'), torn);
    const { intact, records, fault } = await verifyAuditTrail(path, 'a');
    assert.deepEqual([intact, records, fault?.line], [false, 0, 1], 'nothing tells it from any other file yet');
    await (await AuditTrail.open(path, 'a', { fsync: 'none' })).close();
    assert.equal(JSON.parse(lines(path)[0]!).bytes, torn.length);
  }
  appendFileSync(join(path, 'a'), '\0'.repeat(5000));
  await (await AuditTrail.open(path, 'a', { fsync: 'none' })).close();
  assert.equal((await verifyAuditTrail(path, 'a')).intact, true);
  writeFileSync(join(path, 'a'), '');
  assert.deepEqual((await verifyAuditTrail(path, 'a')).fault, undefined, 'an empty trail');
});

test('a writer that is killed at any moment leaves a trail that goes on', async (t) => {
  const path = temporaryDirectory(t);
  const entryPoint = JSON.stringify(new URL('dist/audit/main.js', `file://${repositoryRoot}/`).href);
  const script = `
    import { AuditTrail } from ${entryPoint};
    const trail = await AuditTrail.open(${JSON.stringify(path)}, 'a', { maxBytes: 4000 });
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), Number(process.argv[1]));
    for (let i = 0; ; i++) await trail.record(${JSON.stringify(entry())});`;
  for (let i = 0; i < 4; i++) {
    run('sh', [
      '-c',
      'node="$1"; shift; "$node" "$@"; exit 0',
      '-',
      process.execPath,
      '--input-type=module',
      '-e',
      script,
      '--',
      String(i * 3),
    ]);
  }
  await using trail = await AuditTrail.open(path, 'a');
  await trail.record(entry('last'));
  const report = await trail.verify();
  assert.ok(report.intact, JSON.stringify(report));
});

test('several writers, in one process and in many, make one chain', async (t) => {
  const path = temporaryDirectory(t);
  const script = `
    import { AuditTrail } from 'dirfd/audit';
    const trail = await AuditTrail.open(${JSON.stringify(path)}, 'a', { fsync: 'none', maxBytes: 5000 });
    for (let i = 0; i < 30; i++) await trail.record(${JSON.stringify(entry('other'))});
    await trail.close();`;
  const { spawn } = await import('node:child_process');
  const children = [1, 2].map(() =>
    spawn(process.execPath, ['--input-type=module', '-e', script], {
      cwd: repositoryRoot,
      stdio: ['ignore', 'inherit', 'inherit'],
    }),
  );
  const ended = children.map((child) => new Promise((resolve) => child.once('close', resolve)));
  const trails = await Promise.all([1, 2].map(() => AuditTrail.open(path, 'a', { fsync: 'none', maxBytes: 5000 })));
  const places = await Promise.all(
    trails.flatMap((trail) => Array.from({ length: 30 }, () => trail.record(entry('mine')))),
  );
  assert.equal(new Set(places.map(({ sequence }) => sequence)).size, 60);
  assert.deepEqual(await Promise.all(ended), [0, 0]);
  for (const trail of trails) await trail.close();
  const report = await verifyAuditTrail(path, 'a');
  assert.deepEqual([report.intact, report.records, report.first], [true, 120, 1]);
  assert.ok(report.files.length > 3, 'it was rotated meanwhile');
  for (const file of report.files) assert.ok(readFileSync(join(path, file)).length <= 5000);
});

test('old files may be taken away, and verification says so', async (t) => {
  const path = await filled(t, 40, { maxBytes: 1000 });
  const { files } = await verifyAuditTrail(path, 'a');
  run('rm', [join(path, files[0]!)]);
  const { intact, first } = await verifyAuditTrail(path, 'a');
  assert.equal(intact, true);
  assert.ok(first > 1);
  run('rm', [join(path, files[2]!)]);
  assert.equal((await verifyAuditTrail(path, 'a')).intact, false, 'but not from the middle');
});

test('what has no record at its end is cut only where it is a torn first record, and nothing else', async (t) => {
  const path = await filled(t, 5);
  const whole = readFileSync(join(path, 'a'), 'utf8');
  const damaged = {
    'a trail with other lines behind it': `${whole}junk\njunk\n`,
    'two lines that begin as records do': '{"sequence":1,"previous":"00\n{"sequence":2,"previous":"00\n',
    'JSON of somebody else': '{"sequence":1,"notes":"mine"}\n',
    'an image that begins with zeros': `${'\0'.repeat(1024)}superblock`,
    'zeros, more than a record has': '\0'.repeat(1024 ** 2 + 1),
  };
  for (const [what, content] of Object.entries(damaged)) {
    writeFileSync(join(path, 'a'), content);
    await assert.rejects(AuditTrail.open(path, 'a', { fsync: 'none' }), /no audit trail, or .* damaged/, what);
    assert.ok(readFileSync(join(path, 'a'), 'utf8') === content, what);
  }
});

test('what is no trail is not written to', async (t) => {
  const path = temporaryDirectory(t);
  writeFileSync(join(path, 'a'), 'my diary\n');
  await assert.rejects(AuditTrail.open(path, 'a'), StorageError);
  assert.equal(readFileSync(join(path, 'a'), 'utf8'), 'my diary\n');
  symlinkSync('a', join(path, 'link'));
  await assert.rejects(AuditTrail.open(path, 'link'), (error: StorageError) => /ELOOP/.test(error.message));
  linkSync(join(path, 'a'), join(path, 'b'));
  truncateSync(join(path, 'a'));
  await assert.rejects(AuditTrail.open(path, 'b'), /hard links/);
  mkdirSync(join(path, 'd'));
  await assert.rejects(AuditTrail.open(path, 'd'));
  await assert.rejects(AuditTrail.open(path, '../a'), { code: 'ERR_DIRFD_INVALID_ARGUMENT' });
  await assert.rejects(AuditTrail.open(path, 'c', { fsync: 'maybe' as never }), { code: 'ERR_DIRFD_INVALID_ARGUMENT' });
  await assert.rejects(verifyAuditTrail(path, 'absent'), /no such audit trail/);
  assert.ok(!readdirSync(path).includes('c'));
});

test('writers exclude each other though the lock file was removed', async (t) => {
  const path = temporaryDirectory(t);
  await using one = await AuditTrail.open(path, 'a', { fsync: 'none' });
  await one.record(entry());
  run('rm', [join(path, 'a.lock')]);
  await using two = await AuditTrail.open(path, 'a', { fsync: 'none' });
  for (let i = 0; i < 20; i++) await Promise.all([one.record(entry()), two.record(entry())]);
  const { intact, records, fault } = await one.verify();
  assert.deepEqual([intact, records], [true, 41], JSON.stringify(fault));
});

test('a trail that has become a hard link to another file is refused as often as it is tried', async (t) => {
  const path = await filled(t, 0);
  await using trail = await AuditTrail.open(path, 'a', { fsync: 'none' });
  writeFileSync(join(path, 'other'), '');
  run('ln', ['-f', join(path, 'other'), join(path, 'a')]);
  for (let i = 0; i < 2; i++) await assert.rejects(trail.record(entry()), /hard links/);
  assert.equal(readFileSync(join(path, 'other'), 'utf8'), '');
});

test('an open or a sync that fails once, at the opening or in a rotation, is made up for by the next record', async (t) => {
  for (const method of ['openFile', 'sync'] as const) {
    const path = temporaryDirectory(t);
    await using trail = await AuditTrail.open(path, 'a', { maxBytes: 300 });
    await trail.record(entry('first'));
    const failing = t.mock.method(DirectoryFd.prototype, method, async () => {
      throw new Error('once');
    });
    await assert.rejects(trail.record(entry('lost')), /once/, method);
    failing.mock.restore();
    const after = t.mock.method(DirectoryFd.prototype, method);
    await trail.record(entry('next'));
    await trail.record(entry('rotated'));
    // The directory has two changes to be told to the disk: the name that failed, and the rotation.
    assert.equal(after.mock.callCount() >= 2, true, method);
    after.mock.restore();
    const { intact, records, fault } = await trail.verify();
    assert.deepEqual([intact, records], [true, 3], `${method}: ${JSON.stringify(fault)}`);
  }
});

test('a closed trail takes no more, and what was on its way is there', async (t) => {
  const path = temporaryDirectory(t);
  const trail = await AuditTrail.open(path, 'a');
  const last = trail.record(entry());
  await trail.close();
  assert.equal((await last).sequence, 1);
  await assert.rejects(trail.record(entry()), { code: 'ERR_DIRFD_CLOSED' });
});

test('a record that is no JSON keeps no other out, and one is as it was when it was given', async (t) => {
  const path = temporaryDirectory(t);
  await using trail = await AuditTrail.open(path, 'a');
  const changing = { ...entry('first'), note: 'early' };
  const first = trail.record(changing);
  changing.note = 'late';
  const outcomes = await Promise.allSettled([
    first,
    trail.record(entry('bad', { n: 1n })),
    trail.record(entry('last')),
  ]);
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
  assert.ok((outcomes[1] as PromiseRejectedResult).reason instanceof StorageError);
  assert.deepEqual(
    lines(path).map((line) => JSON.parse(line).note ?? JSON.parse(line).operation),
    ['early', 'last'],
  );
  assert.equal((await trail.verify()).intact, true);
});

test('the global trail takes what has none of its own, and a table tells of it', async (t) => {
  const path = temporaryDirectory(t);
  await using trail = await AuditTrail.open(path, 'a', { fsync: 'none' });
  setGlobalAuditTrail(trail);
  t.after(() => setGlobalAuditTrail(undefined));
  assert.equal(getGlobalAuditTrail(), trail);
  await observed({ operation: 'one' }, {}, async () => {});
  await assert.rejects(
    observed({ operation: 'two' }, {}, async () => {
      throw new Error('no');
    }),
  );
  const rows = await summarizeAuditTrail(readAuditTrail(path, 'a'));
  assert.deepEqual(
    rows.map(({ operation, done, failed }) => [operation, done, failed]),
    [
      ['one', 1, 0],
      ['two', 0, 1],
    ],
  );
  assert.match(formatAuditSummary(rows), /^operation {2}done {2}failed .*\none +1 +0 .*\ntwo +0 +1 /);
});

test('of records that are written together, those in a file that was set aside stand, whatever fails then', async (t) => {
  const path = temporaryDirectory(t);
  await using trail = await AuditTrail.open(path, 'a', { maxBytes: 450 });
  const failing = t.mock.method(DirectoryFd.prototype, 'rename', async () => {
    throw new Error('no rotation');
  });
  const ends = await Promise.allSettled(['one', 'two', 'three', 'four'].map((name) => trail.record(entry(name))));
  failing.mock.restore();
  const stood = lines(path).map((line) => JSON.parse(line).operation);
  assert.deepEqual(
    ends.map(({ status }) => status),
    ['fulfilled', 'fulfilled', 'rejected', 'rejected'],
  );
  assert.deepEqual(stood, ['one', 'two']);
  assert.equal((await trail.record(entry('next'))).sequence, 3);
  assert.equal((await trail.verify()).intact, true);
});

test('a rotation while a trail is listed breaks nothing for who reads it', async (t) => {
  const path = await filled(t, 4, { maxBytes: 450 });
  await using trail = await AuditTrail.open(path, 'a', { fsync: 'none', maxBytes: 450 });
  const readdir = DirectoryFd.prototype.readdir as unknown as (this: DirectoryFd) => Promise<string[]>;
  for (const late of [true, false]) {
    const mock = t.mock.method(DirectoryFd.prototype, 'readdir', async function (this: DirectoryFd) {
      mock.mock.restore();
      const before = await readdir.call(this);
      for (let i = 0; i < 4; i++) await trail.record(entry('meanwhile'));
      return late ? before : await readdir.call(this);
    });
    const { intact, fault, records } = await verifyAuditTrail(path, 'a');
    assert.deepEqual([intact, records >= 4], [true, true], JSON.stringify(fault));
  }
});
