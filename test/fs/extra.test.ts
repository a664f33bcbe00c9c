// copy, move, remove, emptyDir and ensureDir: a table, with dirfd/fs and with fs-extra where it is installed.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { DirectoryFd, FsError } from 'dirfd';
import * as ours from 'dirfd/fs';
import { attempt, run } from '../fixtures/command.js';
import { assertSameTree } from '../fixtures/compare.js';
import { compiled } from '../fixtures/compile.js';
import { mounted } from '../fixtures/mounts.js';
import { nobody, ordinaryUserCanRun, runAsOrdinaryUser } from '../fixtures/ordinary-user.js';
import { repositoryRoot } from '../fixtures/repository.js';
import { withRefused } from '../fixtures/seccomp.js';
import { temporaryDirectory } from '../fixtures/temporary.js';
import { isRoot, need } from '../fixtures/tools.js';
import { metadata } from '../fixtures/trees.js';
import { cases, type ExtraCase } from './extra-cases.js';
import { changes, makeTree, readTree } from './tree-lines.js';

type RenameArguments = Parameters<DirectoryFd['rename']>;

async function outcome(t: TestContext, fs: typeof ours, { tree, call }: ExtraCase) {
  const root = temporaryDirectory(t);
  makeTree(root, tree);
  const before = readTree(root);
  const error = await call(fs, (path) => join(root, path)).then(
    () => undefined,
    (thrown: Error) => thrown.message.replaceAll(root, '$'),
  );
  return { error, changes: changes(before, readTree(root)) };
}

function matches(
  found: { error: string | undefined; changes: string[] },
  expected: Pick<ExtraCase, 'error' | 'changes'>,
) {
  assert.deepEqual(found.changes, expected.changes, found.error);
  if (expected.error === undefined) assert.equal(found.error, undefined);
  else assert.match(found.error ?? 'no error', expected.error);
}

describe('dirfd/fs', () => {
  for (const each of cases) test(each.name, async (t) => matches(await outcome(t, ours, each), each));
});

/** Not a dependency: it comes with a tool of ours, or with the bench. */
function fsExtra(): typeof ours | undefined {
  try {
    return createRequire(join(process.cwd(), 'package.json'))('fs-extra');
  } catch {
    return undefined;
  }
}

describe('fs-extra does the same:', () => {
  const theirs = fsExtra();
  for (const each of cases) {
    const { extra, name } = each;
    test(extra ? `${name} — no: ${extra.because}` : name, {
      skip: !theirs && 'fs-extra is not installed',
    }, async (t) => {
      matches(await outcome(t, theirs as typeof ours, each), extra ?? each);
    });
  }
});

test('move to another file system keeps what a rename would', async (t) => {
  const place = mounted(t, 'tmpfs', { megabytes: 64 });
  if (place === undefined) return;
  const root = temporaryDirectory(t);
  if (statSync(root).dev === statSync(place).dev) return t.skip('needs two file systems');
  mkdirSync(join(root, 'src'));
  metadata(join(root, 'src'));
  run('cp', ['-a', join(root, 'src'), join(root, 'kept')]);
  await ours.move(join(root, 'src'), join(place, 'new/dest'));
  assert.deepEqual(readTreeNames(root), ['kept']);
  assertSameTree(join(root, 'kept'), join(place, 'new/dest'), { holes: false });
  makeTree(root, ['link -> away', 'file = x', 'over = y']);
  const moment = new Date('2001-02-03T04:05:06Z');
  utimesSync(join(root, 'file'), moment, moment);
  await ours.move(join(root, 'link'), join(place, 'link'));
  await ours.move(join(root, 'file'), join(place, 'file'));
  await assert.rejects(ours.move(join(root, 'over'), join(place, 'file')), { message: 'dest already exists.' });
  assert.equal(statSync(join(place, 'file')).mtimeMs, moment.getTime());
  await ours.move(join(root, 'over'), join(place, 'file'), { overwrite: true });
  makeTree(root, ['tree/new = y']);
  makeTree(place, ['tree/old/deep = x']);
  await ours.move(join(root, 'tree'), join(place, 'tree'), { overwrite: true });
  assert.deepEqual(readTree(join(place, 'tree')), ['new = y']);
  assert.deepEqual(readdirSync(place).sort(), ['file', 'link', 'new', 'tree']);
  assert.equal(readlinkSync(join(place, 'link')), 'away');
  assert.deepEqual(readTreeNames(root), ['kept']);
});

test('move to another file system that cannot keep all fails, and leaves both sides as they were', (t) => {
  const seccomp = compiled(t, 'seccomp');
  const place = mounted(t, 'tmpfs', { megabytes: 64 });
  if (seccomp === undefined || place === undefined) return;
  const root = temporaryDirectory(t);
  if (statSync(root).dev === statSync(place).dev) return t.skip('needs two file systems');
  makeTree(root, ['tree/a = x', 'file = x']);
  makeTree(place, ['over = old', 'dir/old = old']);
  for (const file of ['tree/a', 'file']) {
    const set = attempt('setfattr', ['-n', 'user.note', '-v', 'kept', join(root, file)]);
    if (!need(t, set.status === 0, 'needs setfattr, and a file system with user.* attributes')) return;
  }
  const before = [readTree(root), readTree(place)];
  const script = `
    import { move } from 'dirfd/fs';
    for (const [src, dest] of [['tree', 'new'], ['tree', 'dir'], ['file', 'new'], ['file', 'over']]) {
      await move(process.argv[1] + '/' + src, process.argv[2] + '/' + dest, { overwrite: true }).then(
        () => console.log('moved'),
        ({ code, cause }) => console.log(code, cause.code, cause.path),
      );
    }`;
  const refused = ['setxattr', 'lsetxattr', 'fsetxattr', 'setxattrat'] as const;
  const command = [process.execPath, '--input-type=module', '-e', script, '--', root, place];
  const ran = withRefused(seccomp, 'EPERM', refused, command, { cwd: repositoryRoot });
  assert.equal(ran.stdout, 'EPERM EPERM a\nEPERM EPERM a\nEPERM EPERM file\nEPERM EPERM file\n', ran.stderr);
  assert.deepEqual([readTree(root), readTree(place)], before);
});

test('move over a directory leaves that where the new one cannot take its place', async (t) => {
  const root = temporaryDirectory(t);
  makeTree(root, ['from/tree/new = y', 'to/tree/old = x']);
  const before = readTree(root);
  // Neither directory may get another parent, for which the right to write to it is needed, so the old one is moved aside and back.
  const script = `
    import { move } from 'dirfd/fs';
    await move('from/tree', 'to/tree', { overwrite: true }).then(() => console.log('moved'), ({ code }) => console.log(code));`;
  if (!ordinaryUserCanRun(t)) return;
  if (isRoot()) run('chown', ['-R', `${nobody.uid}:${nobody.gid}`, root]);
  chmodSync(root, 0o755);
  chmodSync(join(root, 'from'), 0o555);
  const entry = JSON.stringify(new URL('dist/fs/main.js', `file://${repositoryRoot}/`).href);
  const moved = () => runAsOrdinaryUser(root, script.replace("'dirfd/fs'", entry));
  assert.equal(moved().stdout, 'EACCES\n');
  assert.deepEqual(readTree(root), before);
  chmodSync(join(root, 'from'), 0o755);
  chmodSync(join(root, 'to/tree'), 0o555);
  // Moved aside, but nobody may empty it: the new one is there, the old one still whole.
  assert.equal(moved().stdout, 'EACCES\n');
  const [aside] = readdirSync(join(root, 'to')).filter((name) => name !== 'tree');
  assert.ok(aside !== undefined);
  chmodSync(join(root, 'to', aside), 0o755);
  renameSync(join(root, 'to', aside), join(root, 'old'));
  assert.deepEqual(readTree(root), ['from/', 'old/old = x', 'to/tree/new = y']);
});

for (const [title, fails, isUndone] of [
  ['exchanged and back', { 1: 'EXDEV' }, true],
  ['exchanged, and not back', { 1: 'EXDEV', 3: 'EIO' }, false],
  ['moved aside and back', { 1: 'EXDEV', 2: 'EINVAL' }, true],
  ['moved aside, the new one back, and the old one not', { 1: 'EXDEV', 2: 'EINVAL', 6: 'EIO' }, false],
] as const) {
  test(`move over a directory as from another file system, with no look at the old one: ${title}`, async (t) => {
    const root = temporaryDirectory(t);
    makeTree(root, ['from/tree/new = y', 'to/tree/old = x']);
    const before = readTree(root);
    const codes: Readonly<Record<number, string>> = fails;
    const { rename, stat } = DirectoryFd.prototype;
    let [renames, looks] = [0, 0];
    t.mock.method(DirectoryFd.prototype, 'rename', async function (this: DirectoryFd, ...args: RenameArguments) {
      const code = codes[++renames];
      if (code !== undefined) throw new FsError(code, { code });
      await rename.apply(this, args);
    });
    t.mock.method(DirectoryFd.prototype, 'stat', async function (this: DirectoryFd, path: Buffer) {
      // The copy is looked at before it goes by another name, what has given way after that.
      const isMoved = /^\.dirfd-moving-/.test(path.toString()) && renames > 1;
      if (isMoved && ++looks === 1) throw new FsError('ESTALE', { code: 'ESTALE' });
      return await stat.call(this, path);
    });
    const code = isUndone ? 'ESTALE' : 'EIO';
    await assert.rejects(ours.move(join(root, 'from/tree'), join(root, 'to/tree'), { overwrite: true }), { code });
    t.mock.restoreAll();
    assert.ok(looks > 0 && Object.keys(codes).every((call) => renames >= Number(call)), 'every fault came');
    if (isUndone) return assert.deepEqual(readTree(root), before);
    const [aside] = readdirSync(join(root, 'to')).filter((name) => name !== 'tree');
    assert.ok(aside !== undefined, 'the old one is there');
    renameSync(join(root, 'to', aside), join(root, 'aside'));
    assert.ok(readTree(root).includes('aside/old = x'), String(readTree(root)));
    assert.ok(readTree(root).includes('from/tree/new = y'), 'the source stays');
  });
}

/** As from another file system: the first rename is refused. `meanwhile`: what somebody does right before the rename of that number. */
async function movedAcross(
  t: TestContext,
  root: string,
  name: string,
  meanwhile: Readonly<Record<number, () => void>>,
) {
  const { rename } = DirectoryFd.prototype;
  let renames = 0;
  const stub = t.mock.method(
    DirectoryFd.prototype,
    'rename',
    async function (this: DirectoryFd, ...args: RenameArguments) {
      renames++;
      if (renames === 1) throw new FsError('EXDEV', { code: 'EXDEV' });
      meanwhile[renames]?.();
      await rename.apply(this, args);
    },
  );
  const error = await ours.move(join(root, name), join(root, `new-${name}`)).catch((thrown: FsError) => thrown);
  stub.mock.restore();
  assert.ok(
    Object.keys(meanwhile).every((at) => renames >= Number(at)),
    'it came to that',
  );
  return error;
}

for (const [title, name, meanwhile, left] of [
  [
    'a tree in whose place another is',
    'tree',
    (root: string) => {
      renameSync(join(root, 'tree'), join(root, 'elsewhere'));
      makeTree(root, ['tree/precious = y']);
    },
    ['elsewhere/a = x', 'new-tree/a = x', 'tree/precious = y'],
  ],
  [
    'a tree with a new file',
    'tree',
    (root: string) => makeTree(root, ['tree/precious = y']),
    ['new-tree/a = x', 'tree/a = x', 'tree/precious = y'],
  ],
  [
    'a file of a tree',
    'tree',
    (root: string) => writeFileSync(join(root, 'tree/a'), 'y'),
    ['new-tree/a = x', 'tree/a = y'],
  ],
  ['a file', 'file', (root: string) => writeFileSync(join(root, 'file'), 'y'), ['file = y', 'new-file = x']],
] as const) {
  test(`move to another file system removes nothing that has changed since it was copied: ${title}`, async (t) => {
    const root = temporaryDirectory(t);
    makeTree(root, [name === 'tree' ? 'tree/a = x' : 'file = x']);
    // The second rename gives the copy its name; the third takes the source aside.
    const error = await movedAcross(t, root, name, { 3: () => meanwhile(root) });
    assert.equal(error?.code, 'ERR_DIRFD_CHANGED');
    assert.deepEqual(readTree(root), left);
  });
}

test('move to another file system leaves what comes to be at the destination meanwhile, also where the move fails', async (t) => {
  const root = temporaryDirectory(t);
  makeTree(root, ['tree/a = x', 'file = x']);
  const before = [...readTree(root), 'new-file = y', 'new-tree/b = y'].sort();
  for (const [name, made] of [
    ['tree', 'new-tree/b = y'],
    ['file', 'new-file = y'],
  ] as const) {
    const error = await movedAcross(t, root, name, { 2: () => makeTree(root, [made]) });
    assert.equal(error?.message, 'dest already exists.');
  }
  assert.deepEqual(readTree(root).sort(), before);
});

test('a source that cannot have its name again is told by the name that it has', async (t) => {
  const root = temporaryDirectory(t);
  makeTree(root, ['file = x']);
  const error = await movedAcross(t, root, 'file', {
    3: () => writeFileSync(join(root, 'file'), 'precious'),
    4: () => makeTree(root, ['file = theirs']),
  });
  const [aside] = readdirSync(root).filter((name) => name.startsWith('.dirfd-moving-'));
  assert.ok(aside && error?.message.includes(aside), error?.message);
  assert.deepEqual(readTree(root), [`${aside} = precious`, 'file = theirs', 'new-file = x']);
});

test('move of a directory over the one that it lies in', async (t) => {
  const root = temporaryDirectory(t);
  makeTree(root, ['a/b/kept = x', 'a/lost = y']);
  await ours.move(join(root, 'a/b'), join(root, 'a'), { overwrite: true });
  assert.deepEqual(readTree(root), ['a/kept = x']);
});

function readTreeNames(root: string): string[] {
  return [...new Set(readTree(root).map((line) => line.split('/')[0] as string))];
}

test('remove refuses the root of the file system', async () => {
  await assert.rejects(ours.remove('/'), { code: 'ERR_DIRFD_INVALID_ARGUMENT' });
  await assert.rejects(ours.remove('/..'), { code: 'ERR_DIRFD_INVALID_ARGUMENT' });
});

test('dirfd/fs loads by import and by require', () => {
  const theirs = createRequire(join(process.cwd(), 'package.json'))('dirfd/fs');
  assert.deepEqual(Object.keys(theirs).sort(), ['copy', 'cp', 'emptyDir', 'ensureDir', 'move', 'remove']);
  assert.equal(theirs.cp, ours.cp);
});
