// Names swapped between the moment they are listed and the moment they are copied, staged one step at a time on the native calls that
// copyTree makes: what is copied is what was listed, or nothing; what lies outside is neither read nor written.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { copyTree, DirectoryFd, type FsError } from 'dirfd';
import { PackedBatch } from '#dist/dirfd/entries.js';
import { INTERNAL } from '#dist/dirfd/fd.js';
import { toFsError } from '#dist/errors.js';
import { native } from '#dist/native/load.js';
import type { NativeHandle } from '#dist/native/surface.js';
import { ASPECTS, DECISION, STATE } from '#dist/native/trees.js';
import { run } from '../fixtures/command.js';
import { compiled } from '../fixtures/compile.js';
import { temporaryDirectory } from '../fixtures/temporary.js';

const nothing = new Uint8Array();

/** Two directories with a copy between them, and a secret outside of both. */
async function stage(t: TestContext, fill: (source: string) => void) {
  const base = temporaryDirectory(t);
  const at = (name: string): string => join(base, name);
  for (const name of ['source', 'destination', 'outside']) mkdirSync(at(name));
  writeFileSync(at('outside/secret'), 'secret');
  fill(at('source'));
  const [source, destination] = await Promise.all([
    DirectoryFd.open(at('source')),
    DirectoryFd.open(at('destination')),
  ]);
  const [from, to] = [handleOf(source), handleOf(destination)] as const;
  const none = new Uint8Array();
  const yes = [true, true, true, true, false, true, false, false, true] as const;
  const copy = native.newCopy(
    from,
    to,
    native.newJob(),
    0,
    0,
    ...yes,
    false,
    false,
    none,
    none,
    none,
    false,
    false,
    0,
    0,
    512,
    0,
    0,
    0,
    0,
    0,
  );
  t.after(async () => {
    native.endCopy(copy);
    await Promise.all([source.close(), destination.close()]);
  });
  const open = (path: string, ticket: Uint8Array, state: 1 | 3 = STATE.fresh, copyNow = false) =>
    native.copyOpen(copy, undefined, Buffer.from(path), ticket, state, true, state === STATE.existing, copyNow, false);
  return { source: at('source'), destination: at('destination'), outside: at('outside'), copy, open };
}

/** What the layers above DirectoryFd see of it, and its types do not show. */
function handleOf(directory: DirectoryFd): NativeHandle {
  return (directory as unknown as Record<symbol, { handle: NativeHandle }>)[INTERNAL]!.handle;
}

type Staged = Awaited<ReturnType<typeof stage>>;

async function applyAll({ copy }: Staged, opened: Awaited<ReturnType<Staged['open']>>, decision?: number) {
  const decisions = decision === undefined ? nothing : new Uint8Array(opened.count).fill(decision);
  return await native.copyApply(copy, opened.pair!, 0, opened.count, decisions);
}

function problemsOf(applied: Awaited<ReturnType<typeof applyAll>>): string[] {
  return (applied.problems ?? []).map((problem) => {
    const error = toFsError(problem, native.callNames, { verb: 'copy' }) as FsError;
    return `${problem.name} ${ASPECTS[problem.aspect]} ${error.code}`;
  });
}

async function codeOf(failing: Promise<unknown>): Promise<string> {
  const thrown = await failing.then(
    () => assert.fail('it did not fail'),
    (failure: unknown) => failure,
  );
  return (toFsError(thrown, native.callNames, { verb: 'copy' }) as FsError).code;
}

const swaps: Record<string, (file: string, outside: string) => void> = {
  'a FIFO': (file) => run('mkfifo', [file]),
  'a symlink to a secret': (file, outside) => symlinkSync(join(outside, 'secret'), file),
  'a directory': (file) => mkdirSync(file),
};

for (const [what, swap] of Object.entries(swaps)) {
  test(`a file that became ${what} after it was listed is not copied, and nothing waits`, {
    timeout: 10_000,
  }, async (t) => {
    const staged = await stage(t, (source) => writeFileSync(join(source, 'file'), 'listed'));
    const opened = await staged.open('', nothing);
    rmSync(join(staged.source, 'file'));
    swap(join(staged.source, 'file'), staged.outside);
    assert.deepEqual(problemsOf(await applyAll(staged, opened)), ['file entry ERR_DIRFD_CHANGED']);
    assert.deepEqual(readdirSync(staged.destination), []);
  });
}

for (const [what, swap] of Object.entries(swaps)) {
  test(`a file listed without a stat that became ${what} is not copied either`, { timeout: 20_000 }, async (t) => {
    // More than are copied at once on opening: their names are listed, and nothing is known of them yet.
    const count = 600;
    const staged = await stage(t, (source) => {
      for (let index = 0; index < count; index++) writeFileSync(join(source, `file-${index}`), 'listed');
    });
    const opened = await staged.open('', nothing, STATE.fresh, true);
    assert.deepEqual([opened.count, opened.copied], [count, false]);
    rmSync(join(staged.source, 'file-300'));
    swap(join(staged.source, 'file-300'), staged.outside);
    assert.deepEqual(problemsOf(await applyAll(staged, opened)), ['file-300 entry ERR_DIRFD_CHANGED']);
    const copied = readdirSync(staged.destination);
    assert.deepEqual([copied.length, copied.includes('file-300')], [count - 1, false]);
  });
}

test('a file that another file has replaced since is copied as that file is now', async (t) => {
  const staged = await stage(t, (source) => writeFileSync(join(source, 'file'), 'listed'));
  const opened = await staged.open('', nothing);
  writeFileSync(join(staged.source, 'new'), 'longer than before', { mode: 0o600 });
  renameSync(join(staged.source, 'new'), join(staged.source, 'file'));
  assert.deepEqual(problemsOf(await applyAll(staged, opened)), []);
  assert.equal(readFileSync(join(staged.destination, 'file'), 'utf8'), 'longer than before');
  assert.equal(lstatSync(join(staged.destination, 'file')).mode & 0o777, 0o600);
});

test('a symlink that another of the same length has replaced since is copied as that one is now', async (t) => {
  const staged = await stage(t, (source) => {
    symlinkSync('first', join(source, 'link'));
    lutimesSync(join(source, 'link'), 1e9, 1e9);
  });
  const opened = await staged.open('', nothing);
  rmSync(join(staged.source, 'link'));
  symlinkSync('other', join(staged.source, 'link'));
  lutimesSync(join(staged.source, 'link'), 2e9, 2e9);
  assert.deepEqual(problemsOf(await applyAll(staged, opened)), []);
  assert.equal(readlinkSync(join(staged.destination, 'link')), 'other');
  assert.equal(lstatSync(join(staged.destination, 'link')).mtimeMs, 2e12, 'and not with the times of the first');
});

test('a file on which a server holds a lease is waited for, and copied', { timeout: 30_000 }, async (t) => {
  const holder = compiled(t, 'leaseholder');
  if (holder === undefined) return;
  const base = temporaryDirectory(t);
  mkdirSync(join(base, 'source'));
  writeFileSync(join(base, 'source', 'file'), 'leased');
  const server = spawn(holder, [join(base, 'source', 'file'), '300'], { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(server, 'exit');
  const said = await Promise.race([once(server.stdout, 'data'), once(server.stderr, 'data')]);
  if (!String(said[0]).startsWith('held')) return t.skip(`this file system gives no leases: ${said[0]}`);
  const report = await copyTree(join(base, 'source'), join(base, 'copy'));
  assert.deepEqual([report.files, report.exitCode], [1, 0]);
  assert.ok(report.milliseconds >= 250, `${report.milliseconds} ms`);
  assert.equal(readFileSync(join(base, 'copy', 'file'), 'utf8'), 'leased');
  assert.deepEqual(await ended, [0, null]);
});

test('a file that has vanished since is named as such', async (t) => {
  const staged = await stage(t, (source) => writeFileSync(join(source, 'file'), 'listed'));
  const opened = await staged.open('', nothing);
  rmSync(join(staged.source, 'file'));
  assert.deepEqual(problemsOf(await applyAll(staged, opened)), ['file vanished ENOENT']);
});

test('a source directory swapped for a symlink, or for another directory, is not entered', async (t) => {
  const staged = await stage(t, (source) => mkdirSync(join(source, 'sub')));
  const { tickets } = await applyAll(staged, await staged.open('', nothing));
  rmSync(join(staged.source, 'sub'), { recursive: true });
  symlinkSync(staged.outside, join(staged.source, 'sub'));
  assert.equal(await codeOf(staged.open('sub', tickets!)), 'ERR_DIRFD_CHANGED');
  rmSync(join(staged.source, 'sub'));
  mkdirSync(join(staged.source, 'another'));
  mkdirSync(join(staged.source, 'sub'));
  assert.equal(await codeOf(staged.open('sub', tickets!)), 'ERR_DIRFD_CHANGED');
});

test('a destination directory swapped for a symlink, or for another directory, is not written to', async (t) => {
  const staged = await stage(t, (source) => {
    mkdirSync(join(source, 'sub'));
    writeFileSync(join(source, 'sub', 'file'), 'content');
  });
  const { tickets } = await applyAll(staged, await staged.open('', nothing));
  const opened = await staged.open('sub', tickets!);
  renameSync(join(staged.destination, 'sub'), join(staged.destination, 'moved'));
  symlinkSync(staged.outside, join(staged.destination, 'sub'));
  assert.equal(await codeOf(applyAll(staged, opened)), 'ERR_DIRFD_CHANGED');
  rmSync(join(staged.destination, 'sub'));
  mkdirSync(join(staged.destination, 'sub'));
  assert.equal(await codeOf(applyAll(staged, opened)), 'ERR_DIRFD_CHANGED');
  assert.deepEqual(readdirSync(staged.outside), ['secret']);
  assert.deepEqual(readdirSync(join(staged.destination, 'sub')), []);
});

test('a symlink planted at a destination name is never written through', async (t) => {
  const staged = await stage(t, (source) => writeFileSync(join(source, 'file'), 'content'));
  const secret = join(staged.outside, 'secret');
  const opened = await staged.open('', nothing, STATE.existing);
  symlinkSync(secret, join(staged.destination, 'file'));
  assert.deepEqual(problemsOf(await applyAll(staged, opened, DECISION.create)), ['file entry EEXIST']);
  assert.deepEqual(problemsOf(await applyAll(staged, opened, DECISION.replace)), []);
  assert.equal(readFileSync(secret, 'utf8'), 'secret');
  assert.ok(lstatSync(join(staged.destination, 'file')).isFile());
  assert.deepEqual(readdirSync(staged.destination), ['file'], 'no staging directory is left');
});

test('a hard link is made only to the very file that was copied first', async (t) => {
  const staged = await stage(t, (source) => {
    writeFileSync(join(source, 'a'), 'content');
    linkSync(join(source, 'a'), join(source, 'b'));
  });
  const opened = await staged.open('', nothing);
  const first = Uint8Array.of(DECISION.create);
  const { tickets, entries } = await native.copyApply(staged.copy, opened.pair!, 0, 1, first);
  const name = new PackedBatch(entries!).name(0);
  rmSync(join(staged.destination, name));
  symlinkSync(join(staged.outside, 'secret'), join(staged.destination, name));
  const linked = await native.copyLink(staged.copy, opened.pair!, 1, Buffer.from(name), tickets!, DECISION.create);
  assert.equal(problemsOf(linked).length, 1);
  assert.match(problemsOf(linked)[0]!, /entry ERR_DIRFD_CHANGED$/);
  assert.equal(existsSync(join(staged.destination, name === 'a' ? 'b' : 'a')), false);
});

// Far down, directories are opened from their parents, which stay held for the next ones. A held directory may be anywhere by then.
test('a copy does not follow a directory of its destination that is moved outside, however deep', async (t) => {
  const base = temporaryDirectory(t);
  const [source, destination, outside] = ['source', 'destination', 'outside'].map((name) => join(base, name)) as [
    string,
    string,
    string,
  ];
  const levels = Array.from({ length: 14 }, (_, level) => `${level}`.padStart(2, '0').repeat(100));
  const pathOf = (depth: number): string => join(...levels.slice(0, depth));
  mkdirSync(join(source, pathOf(14)), { recursive: true });
  for (let depth = 1; depth <= 14; depth++) writeFileSync(join(source, pathOf(depth), 'file'), Buffer.alloc(60_000));
  // A level takes longer than a descriptor is taken for the path that led to it.
  let ended = false;
  const copying = copyTree(source, destination, {
    bandwidthLimit: 300_000,
    concurrency: 1,
    onError: 'continue',
  }).finally(() => {
    ended = true;
  });
  while (!ended && !existsSync(join(destination, pathOf(9)))) await new Promise((resolve) => setTimeout(resolve, 5));
  renameSync(join(destination, pathOf(9)), outside);
  const { errors } = await copying;
  const below = (depth: number): string => join(outside, ...levels.slice(9, depth));
  t.diagnostic(`${levels.filter((_, level) => level >= 9 && existsSync(below(level + 1))).length} levels made outside`);
  // The one that was being filled, and what it holds.
  assert.ok(!existsSync(below(12)), 'the copy went on outside');
  assert.notEqual(errors.length, 0);
});
