// SIGKILL at every system call of an atomic write, and faults in those that matter: old or new, never between, and the next write leaves
// nothing of the one that was killed.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { cleanupTemporaryFiles, writeFileAtomic } from 'dirfd/atomic';
import { opened, scratch } from '../dirfd/scratch.js';
import { assertInjected, type SyscallEvent, type Traced } from '../fixtures/strace.js';
import { temporaryDirectory } from '../fixtures/temporary.js';
import { requireTool } from '../fixtures/tools.js';
import { callsOfWriter, NEW, OLD, reset, tracedWrite } from './traced-write.js';

const draftName = /^\.dirfd-write-[0-9a-f]{32}$/;

/** Where strace has to strike to hit this very call: by its number among its thread's, of calls that no other thread makes as often. */
function strikes(
  traced: Traced,
  above: string,
): { readonly inject: string; readonly paths: string[]; readonly call: string }[] {
  const place = join(above, 'place');
  const calls = callsOfWriter(traced, above);
  const isAt = ({ args }: SyscallEvent) => args.some((argument) => argument.endsWith(`<${place}>`));
  return calls.flatMap((event, index) => {
    const { call, pid } = event;
    const sameCall = traced.events.filter((other) => other.call === call);
    const pool = isAt(event) ? sameCall.filter(isAt) : sameCall;
    // A call that another thread makes too would be struck there first; one that strace knows by number only cannot be struck.
    if (pool.some((other) => other.pid !== pid) || call.startsWith('syscall_')) return [];
    const when = calls
      .slice(0, index + 1)
      .filter((other) => other.call === call && (!isAt(event) || isAt(other))).length;
    return [{ inject: `${call}:signal=KILL:when=${when}`, paths: isAt(event) ? [place] : [], call }];
  });
}

for (const [what, disabled, options] of [
  ['a nameless draft', '', {}],
  ['a draft with a random name', 'tmpfile,xattrat,openat2', {}],
  ['a backup', '', { backup: 'old' }],
] as const) {
  test(`SIGKILL at every call of a write with ${what} leaves old or new, and the next write cleans up`, async (t) => {
    if (!requireTool(t, 'strace')) return;
    const above = temporaryDirectory(t);
    mkdirSync(join(above, 'place'));
    reset(above);
    const whole = tracedWrite(above, { disabled, options });
    assert.equal(whole.status, 0, whole.stderr + whole.stdout);
    assert.equal(readFileSync(join(above, 'place/file'), 'utf8'), NEW);
    const calls = callsOfWriter(whole, above);
    const lastIndex = (what: RegExp, of: string) =>
      calls.findLastIndex(({ call, args }) => call === of && what.test(args.join()));
    assert.ok(lastIndex(/F_UNLCK/, 'fcntl') > lastIndex(/F_WRLCK/, 'fcntl'), 'the new file is not locked');
    assert.ok(lastIndex(/F_UNLCK/, 'fcntl') < lastIndex(/place>$/, 'fsync'), 'nor while its directory is synced');
    const points = strikes(whole, above);
    const struck = points.map(({ call }) => call);
    // With a backup the directory is pinned first, by another thread: which of the two opens it, strace cannot be told.
    const opens = 'backup' in options ? [] : ['openat'];
    for (const call of ['fsync', disabled ? 'renameat2' : 'linkat', 'statx', 'pwrite64', ...opens]) {
      const either = call === 'renameat2' ? /^renameat2?$/ : new RegExp(`^${call}$`);
      assert.ok(
        struck.some((name) => either.test(name)),
        `${call} is among ${struck}`,
      );
    }
    let seenOld = 0;
    let seenNew = 0;
    for (const [index, { inject, paths, call }] of points.entries()) {
      const base = join(above, String(index));
      mkdirSync(join(base, 'place'), { recursive: true });
      reset(base);
      const where = paths.map(() => join(base, 'place'));
      const killed = tracedWrite(base, { disabled, options, inject: [inject], paths: where });
      assert.notEqual(killed.status, 0, `${inject} struck nothing`);
      const text = readFileSync(join(base, 'place/file'), 'utf8');
      assert.ok(text === OLD || text === NEW, `${call} (${inject}): ${text.slice(0, 40)}`);
      text === OLD ? seenOld++ : seenNew++;
      const present = readdirSync(join(base, 'place'));
      const backup = present.filter((name) => name === 'old');
      if (backup.length > 0) assert.equal(readFileSync(join(base, 'place/old'), 'utf8'), OLD);
      assert.ok(!('backup' in options) || text === OLD || backup.length > 0, `${inject}: changed before the backup`);
      const left = present.filter((name) => name !== 'file' && name !== 'old');
      assert.ok(left.length <= 1 && left.every((name) => draftName.test(name)), `${inject} left ${left}`);
      const directory = await opened(t, join(base, 'place'));
      await writeFileAtomic(directory, 'file', 'next', { durability: 'none' });
      assert.deepEqual(readdirSync(join(base, 'place')), ['file', ...backup], inject);
    }
    assert.ok(seenOld > 3 && seenNew > 1, `old ${seenOld}, new ${seenNew}`);
  });
}

describe('a failed fsync', () => {
  test('of the file leaves the old one, and is not tried again', (t) => {
    if (!requireTool(t, 'strace')) return;
    const above = temporaryDirectory(t);
    mkdirSync(join(above, 'place'));
    reset(above);
    const options = { retry: { attempts: 5, codes: ['EIO'] } };
    const traced = tracedWrite(above, { options, trace: ['linkat'], inject: ['fsync:error=EIO:when=1'] });
    assertInjected(traced, 'fsync');
    assert.equal(traced.stdout, 'AtomicWriteError EIO\n');
    assert.equal(traced.events.filter(({ call }) => call === 'fsync').length, 1);
    assert.equal(readFileSync(join(above, 'place/file'), 'utf8'), OLD);
    assert.deepEqual(readdirSync(join(above, 'place')), ['file']);
  });

  test('of the directory is an error of its own: new, but unknown whether for good', (t) => {
    if (!requireTool(t, 'strace')) return;
    const above = temporaryDirectory(t);
    mkdirSync(join(above, 'place'));
    reset(above);
    const options = { retry: { attempts: 5, codes: ['EIO'] } };
    const traced = tracedWrite(above, { options, inject: ['fsync:error=EIO:when=2'], trace: ['linkat'] });
    assertInjected(traced, 'fsync');
    assert.equal(traced.stdout, 'DurabilityError EIO\n');
    assert.equal(traced.events.filter(({ call }) => call === 'fsync').length, 2);
    assert.equal(readFileSync(join(above, 'place/file'), 'utf8'), NEW);
  });
});

test('what may pass is tried again, what may not is not', (t) => {
  if (!requireTool(t, 'strace')) return;
  const above = temporaryDirectory(t);
  mkdirSync(join(above, 'place'));
  for (const [error, tries, outcome] of [
    ['EBUSY', 3, 'AtomicWriteError EBUSY\n'],
    ['ENOSPC', 1, 'AtomicWriteError ENOSPC\n'],
  ] as const) {
    reset(above);
    const traced = tracedWrite(above, { inject: [`linkat:error=${error}`], trace: ['fsync'] });
    assert.equal(traced.stdout, outcome);
    // Each try by descriptor has a second one through /proc.
    const perTry = new Set(traced.events.filter(({ call }) => call === 'fsync').map(({ args }) => args[0])).size;
    assert.ok(perTry >= 1);
    assert.equal(traced.events.filter(({ call }) => call === 'fsync').length, tries);
    assert.equal(readFileSync(join(above, 'place/file'), 'utf8'), OLD);
  }
});

test('of a backup that is a copy, a kill leaves a draft that the next write removes, and a failure nothing', async (t) => {
  if (!requireTool(t, 'strace')) return;
  const above = temporaryDirectory(t);
  const place = join(above, 'place');
  mkdirSync(place);
  reset(above);
  linkSync(join(place, 'file'), join(place, 'other'));
  writeFileSync(join(place, 'old'), 'an older backup');
  // The first rename is the backup's.
  tracedWrite(above, { options: { backup: 'old' }, inject: ['renameat,renameat2:signal=KILL:when=1'] });
  const left = readdirSync(place).filter((name) => !['file', 'old', 'other'].includes(name));
  assert.ok(left.length === 1 && draftName.test(left[0]!), `left ${left}`);
  const directory = await opened(t, place);
  await writeFileAtomic(directory, 'file', 'next', { durability: 'none' });
  assert.deepEqual(readdirSync(place), ['file', 'old', 'other']);
  linkSync(join(place, 'file'), join(place, 'another'));
  mkdirSync(join(place, 'backups'));
  const full = tracedWrite(above, {
    options: { backup: 'backups/{name}.{time}.bak' },
    inject: ['renameat,renameat2:error=ENOSPC'],
    trace: ['linkat'],
    paths: [place],
  });
  assert.equal(full.stdout, 'AtomicWriteError ENOSPC\n');
  assert.deepEqual([readdirSync(place).length, readdirSync(join(place, 'backups'))], [5, []]);
});

test('a sweep leaves the drafts of living writers, and what only looks like a draft', async (t) => {
  const { path, directory } = await scratch(t);
  const { AtomicWriter } = await import('dirfd/atomic');
  const digits = 'ab'.repeat(16);
  writeFileSync(join(path, `.dirfd-write-${digits}`), 'of a dead writer');
  writeFileSync(join(path, `.dirfd-write-${digits}0`), 'no draft');
  writeFileSync(join(path, `.dirfd-${digits}`), "another's");
  mkdirSync(join(path, `.dirfd-write-${'cd'.repeat(16)}`));
  execFileSync('mkfifo', [join(path, `.dirfd-write-${'ef'.repeat(16)}`)]);
  symlinkSync('file', join(path, `.dirfd-write-${'01'.repeat(16)}`));
  await using writer = new AtomicWriter({ directory, path: 'file' });
  await writer.writeBytes(Buffer.alloc(2_000_000)); // sweeps, for it is the first draft in this directory
  assert.equal(readdirSync(path).includes(`.dirfd-write-${digits}`), false);
  writeFileSync(join(path, `.dirfd-write-${digits}`), 'of a dead writer');
  assert.equal(await cleanupTemporaryFiles(path), 1);
  await writer.commit();
  const left = readdirSync(path).sort();
  const others = ['cd', 'ef', '01'].map((pair) => `.dirfd-write-${pair.repeat(16)}`);
  assert.deepEqual(left, [`.dirfd-${digits}`, `.dirfd-write-${digits}0`, ...others, 'file'].sort());
});
