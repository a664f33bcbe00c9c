// Each option of lib/copy/options.ts does what its comment says.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { test } from 'node:test';
import { type CopyOptions, type CopyReport, copyTree, FsError, verifyTree } from 'dirfd';
import { run } from '../fixtures/command.js';
import { assertSameTree } from '../fixtures/compare.js';
import { compiled } from '../fixtures/compile.js';
import { extentsOf } from '../fixtures/extents.js';
import { isDisabled } from '../fixtures/fallbacks.js';
import { inventory } from '../fixtures/inventory.js';
import { mounted } from '../fixtures/mounts.js';
import { importable } from '../fixtures/ordinary-user.js';
import { strace } from '../fixtures/strace.js';
import { requireRoot, requireTool } from '../fixtures/tools.js';
import { everyByte } from '../fixtures/trees/plain.js';
import { plain, project } from '../fixtures/trees.js';
import { assertComplete, pair, pairIn } from './pair.js';

const text = (path: string): string => readFileSync(path, 'utf8');
const stat = (path: string) => lstatSync(path, { bigint: true });

test('existing: replace, keep and error; a replaced file keeps its other names as they were', async (t) => {
  const { source, destination, from, to, base } = pair(t, plain);
  mkdirSync(destination);
  writeFileSync(to('readme.md'), 'old');
  linkSync(to('readme.md'), `${base}/other-name`);
  symlinkSync('old', to('dangling'));
  symlinkSync(base, to('a'));

  const refused = await copyTree(source, destination, { existing: 'error', onError: 'continue' });
  const codes = refused.errors.map(({ path, error }) => `${path} ${error.code}`).sort();
  assert.deepEqual(codes, ['a EEXIST', 'dangling EEXIST', 'readme.md EEXIST']);
  assert.equal(text(to('readme.md')), 'old');

  const kept = await copyTree(source, destination, { existing: 'keep' });
  assertComplete(kept);
  assert.equal(text(to('readme.md')), 'old');
  assert.ok(lstatSync(to('a')).isSymbolicLink());
  assert.equal(existsSync(`${base}/one.txt`), false, 'the symlink was not entered');

  await copyTree(source, destination);
  assertSameTree(source, destination);
  assert.equal(text(`${base}/other-name`), 'old');
  assert.equal(text(from('readme.md')), text(to('readme.md')));
});

test('update: what is the same is left alone, what differs is set right', async (t) => {
  const { source, destination, from, to } = pair(t, plain);
  await copyTree(source, destination);
  const before = new Map(
    ['readme.md', 'empty.txt', 'a/two.bin', 'one-again.txt'].map((name) => [name, stat(to(name))]),
  );
  const again = await copyTree(source, destination, { update: true });
  assert.deepEqual([again.files, again.symlinks, again.hardLinks, again.updated, again.bytes], [0, 0, 0, 0, 0]);
  for (const [name, then] of before) {
    const now = stat(to(name));
    assert.deepEqual([name, now.ino, now.ctimeNs], [name, then.ino, then.ctimeNs], 'not even touched');
  }
  chmodSync(from('readme.md'), 0o600);
  writeFileSync(from('empty.txt'), 'not any more');
  chmodSync(from('one-again.txt'), 0o640);
  const changed = await copyTree(source, destination, { update: true });
  assert.deepEqual([changed.updated, changed.files], [1, 2]);
  assert.equal(stat(to('readme.md')).ino, before.get('readme.md')?.ino);
  assertSameTree(source, destination);
});

test('update never changes what other names of a file show', async (t) => {
  const { source, destination, from, to, base } = pair(t);
  writeFileSync(from('a'), 'same size');
  linkSync(from('a'), from('b'));
  chmodSync(from('a'), 0o666);
  mkdirSync(destination);
  writeFileSync(`${base}/stranger`, 'same size', { mode: 0o600 });
  for (const path of [from('a'), `${base}/stranger`]) utimesSync(path, 1e9, 1e9);
  linkSync(`${base}/stranger`, to('a'));
  await copyTree(source, destination, { update: true });
  assert.equal(statSync(`${base}/stranger`).mode & 0o777, 0o600);
  assertSameTree(source, destination);
});

test('update takes apart what is one file at the destination and two in the source', async (t) => {
  const { source, destination, from, to } = pair(t);
  mkdirSync(destination);
  for (const name of ['a', 'c']) writeFileSync(from(name), 'same');
  linkSync(from('a'), from('b'));
  linkSync(from('c'), from('d'));
  writeFileSync(to('a'), 'same');
  for (const name of ['b', 'c', 'd']) linkSync(to('a'), to(name));
  for (const path of [from('a'), from('c'), to('a')]) utimesSync(path, 1e9, 1e9);
  await copyTree(source, destination, { update: true });
  assertSameTree(source, destination);
});

test('delete removes what the source lacks, links unfollowed, and counts it', async (t) => {
  const { source, destination, to, base } = pair(t, plain);
  mkdirSync(to('stranger', 'deep'), { recursive: true });
  mkdirSync(`${base}/outside`);
  writeFileSync(`${base}/outside/sentinel`, '');
  symlinkSync(`${base}/outside`, to('stranger', 'link'));
  writeFileSync(to('file'), '');
  const kept = await copyTree(source, destination);
  assert.equal(kept.deleted, 0);
  const { deleted } = await copyTree(source, destination, { delete: true });
  assert.equal(deleted, 4);
  assertSameTree(source, destination);
  assert.ok(existsSync(`${base}/outside/sentinel`));
});

test('delete spares what is in the source but cannot be looked at', async (t) => {
  const { source, destination, to } = pair(t, (path) => {
    mkdirSync(`${path}/listed`);
    writeFileSync(`${path}/listed/file`, 'precious');
  });
  await copyTree(source, destination);
  if (!requireTool(t, 'strace')) return;
  // As a directory of mode 0400 does it to an ordinary user: the name is listed, and cannot be stat'ed.
  const script = importable(`
    import { copyTree } from 'dirfd';
    const [source, destination] = process.argv.slice(1);
    const { errors, deleted } = await copyTree(source, destination, { delete: true, onError: 'continue', concurrency: 1 });
    console.log(JSON.stringify([errors.map(({ path, error }) => path + ' ' + error.code), deleted]));`);
  const command = [process.execPath, '--input-type=module', '-e', script, '--', source, destination];
  const traced = strace(command, {
    inject: ['statx:error=EACCES'],
    trace: [],
    paths: [`${source}/listed/file`, 'file'],
  });
  assert.deepEqual(JSON.parse(traced.stdout), [['listed/file EACCES'], 0], traced.stderr);
  assert.equal(text(to('listed', 'file')), 'precious');
});

/** Changes of every kind between a source and its copy. */
async function changedPair(t: Parameters<typeof pair>[0]) {
  const made = pair(t, plain);
  const { source, destination, from, to } = made;
  await copyTree(source, destination);
  mkdirSync(from('new', 'below'), { recursive: true });
  writeFileSync(from('new', 'below', 'file'), 'new');
  linkSync(from('new', 'below', 'file'), from('new', 'linked'));
  writeFileSync(from('readme.md'), 'longer than it was');
  chmodSync(from('empty.txt'), 0o600);
  mkdirSync(to('gone', 'deep'), { recursive: true });
  writeFileSync(to('gone', 'deep', 'file'), '');
  run('rm', [to('dangling')]);
  symlinkSync('elsewhere', to('dangling'));
  run('rm', ['-r', to('empty')]);
  writeFileSync(to('empty'), 'a file where the source has a directory');
  // 0600 is what it is made with: an old kernel without /proc has no way to give it another mode.
  run('mkfifo', ['-m', '0600', from('fifo')]);
  return made;
}

function counts(report: CopyReport): Partial<CopyReport> {
  const { files, directories, symlinks, specials, hardLinks, updated, deleted, bytes } = report;
  return { files, directories, symlinks, specials, hardLinks, updated, deleted, bytes };
}

async function itemized(job: ReturnType<typeof copyTree>): Promise<string[]> {
  const lines: string[] = [];
  for await (const event of job) {
    if (event.type === 'entry') lines.push(`${event.action} ${event.kind} ${event.path}`);
  }
  return lines.sort();
}

for (const update of [false, true]) {
  test(`a dry run changes nothing and foretells the run, update: ${update}`, async (t) => {
    const { source, destination } = await changedPair(t);
    const options: CopyOptions = { update, delete: true, itemize: true };
    const before = inventory(destination);
    const dry = copyTree(source, destination, { ...options, dryRun: true });
    const foretold = await itemized(dry);
    assert.deepEqual(inventory(destination), before);
    const real = copyTree(source, destination, options);
    assert.deepEqual(foretold, await itemized(real));
    assert.deepEqual(counts(await dry), counts(await real));
    assertSameTree(source, destination);
    assert.ok(foretold.includes('delete directory gone') && foretold.includes('create fifo fifo'), foretold.join('\n'));
  });
}

test('a dry run onto nothing makes nothing', async (t) => {
  const { source, destination, base } = pair(t, plain);
  const dry = await copyTree(source, destination, { dryRun: true });
  assert.deepEqual(readdirSync(base), ['source']);
  assert.deepEqual(counts(dry), counts(await copyTree(source, destination)));
  const single = await copyTree(`${source}/readme.md`, `${base}/single`, { dryRun: true });
  assert.deepEqual([single.files, existsSync(`${base}/single`)], [1, false]);
});

test('itemize names each entry once, with what is done to it; without it there are no such events', async (t) => {
  const { source, destination } = pair(t, plain);
  const lines = await itemized(copyTree(source, destination, { itemize: true }));
  assert.equal(new Set(lines).size, 14);
  assert.ok(lines.every((line) => line.startsWith('create ')));
  assert.deepEqual(await itemized(copyTree(source, destination)), []);
});

test('hardLinks: false makes each name a file of its own, with update too', async (t) => {
  const { source, destination, to } = pair(t, plain);
  await copyTree(source, destination);
  assert.equal(stat(to('a/one.txt')).nlink, 2n);
  for (const update of [true, false]) {
    const { hardLinks } = await copyTree(source, destination, { hardLinks: false, update });
    assert.equal(hardLinks, 0);
    assert.equal(stat(to('a/one.txt')).nlink, 1n);
    assert.equal(text(to('one-again.txt')), 'one\n');
  }
});

test('sparse: always makes holes of zeros, never fills them, and the bytes are the same', async (t) => {
  const { source, destination, from, to } = pair(t);
  const [block, hole] = [everyByte(1 << 20), Buffer.alloc(1 << 20)];
  writeFileSync(from('zeros'), Buffer.concat([block, hole, block, hole]));
  run('truncate', ['-s', '2M', from('hole')]);
  const program = compiled(t, 'extents');
  if (program === undefined) return;
  const data = (name: string) => extentsOf(program, to(name)).data.reduce((sum, [start, end]) => sum + end - start, 0);
  await copyTree(source, destination, { sparse: 'always' });
  assert.deepEqual([data('zeros'), data('hole')], [2 << 20, 0]);
  assertSameTree(source, destination, { holes: false });
  await copyTree(source, destination, { sparse: 'never' });
  assert.deepEqual([data('zeros'), data('hole')], [4 << 20, 2 << 20]);
  assertSameTree(source, destination, { holes: false });
});

test('owner, times and accessTimes are kept or not, as asked', async (t) => {
  const { source, destination, from, to, base } = pair(t);
  writeFileSync(from('file'), '');
  if (requireRoot(t)) run('chown', ['12345:54321', from('file')]);
  else return;
  const [accessed, modified] = [1_111_111_111n * 10n ** 9n, 1_222_222_222n * 10n ** 9n];
  utimesSync(from('file'), 1_111_111_111, 1_222_222_222);
  await copyTree(source, destination, { owner: false, times: false });
  const bare = stat(to('file'));
  assert.deepEqual([bare.uid, bare.gid], [0n, 0n]);
  assert.notEqual(bare.mtimeNs, modified);
  utimesSync(from('file'), 1_111_111_111, 1_222_222_222);
  await copyTree(source, `${base}/full`, { accessTimes: true });
  const full = stat(`${base}/full/file`);
  assert.deepEqual([full.uid, full.gid, full.atimeNs, full.mtimeNs], [12345n, 54321n, accessed, modified]);
});

test('xattrs and acl are kept or not, each for itself', async (t) => {
  if (!requireTool(t, 'setfattr', 'getfattr', 'setfacl')) return;
  const { source, base, from } = pair(t);
  writeFileSync(from('file'), '');
  run('setfattr', ['-n', 'user.text', '-v', 'value', from('file')]);
  run('setfacl', ['-m', 'u:12345:r', from('file')]);
  const attributes = async (options: CopyOptions) => {
    const destination = `${base}/${JSON.stringify(options)}`;
    const { exitCode } = await copyTree(source, destination, options);
    assert.equal(exitCode, 0);
    const listed = run('getfattr', ['-d', '-m', '^(user|system)', '--absolute-names', `${destination}/file`]);
    return [...listed.matchAll(/^([a-z_.]+)=/gm)].map(([, name]) => name).sort();
  };
  assert.deepEqual(await attributes({}), ['system.posix_acl_access', 'user.text']);
  assert.deepEqual(await attributes({ xattrs: false }), ['system.posix_acl_access']);
  assert.deepEqual(await attributes({ acl: false }), ['user.text']);
  assert.deepEqual(await attributes({ acl: false, xattrs: false }), []);
});

test('without its ACL, a file does not give its group what was meant for others', async (t) => {
  if (!requireTool(t, 'setfacl')) return;
  const { source, base, from } = pair(t);
  mkdirSync(from('directory'));
  writeFileSync(from('file'), '');
  run('mkfifo', [from('fifo')]);
  for (const name of ['file', 'fifo', 'directory']) {
    chmodSync(from(name), 0o700);
    // The mode shows the mask, rwx; the group has only execute.
    run('setfacl', ['-m', 'u:12345:rwx,g::--x,m::rwx', from(name)]);
    assert.equal(statSync(from(name)).mode & 0o777, 0o770);
  }
  const modesOf = (root: string) =>
    ['file', 'fifo', 'directory'].map((name) => (statSync(`${root}/${name}`).mode & 0o777).toString(8));
  const options = { acl: false, update: true } as const;
  assertComplete(await copyTree(source, `${base}/plain`, options));
  assert.deepEqual(modesOf(`${base}/plain`), ['710', '710', '710']);
  const again = await copyTree(source, `${base}/plain`, options);
  assert.deepEqual([again.updated, again.specials], [0, 0]);
  assert.deepEqual((await verifyTree(source, `${base}/plain`, { acl: false })).differences, []);

  // Too wide a mode, as another tool may have made it, is narrowed.
  chmodSync(`${base}/plain/file`, 0o770);
  assert.equal((await copyTree(source, `${base}/plain`, options)).updated, 1);
  assert.deepEqual(modesOf(`${base}/plain`), ['710', '710', '710']);

  if (!requireRoot(t)) return;
  const refusing = `${base}/refusing`;
  mkdirSync(refusing);
  run('mount', ['-t', 'ramfs', 'ramfs', refusing]);
  try {
    const { notKept, exitCode } = await copyTree(source, `${refusing}/copy`);
    assert.deepEqual(modesOf(`${refusing}/copy`), ['710', '710', '710']);
    const lost = notKept.map(({ path, what }) => `${path} ${what}`).sort();
    assert.deepEqual(lost, ['directory acl', 'fifo acl', 'file acl']);
    assert.equal(exitCode, 23);
  } finally {
    run('umount', [refusing]);
  }
});

test('a difference in attributes, ACL or target alone is itemized, in a dry run as in the real one', async (t) => {
  if (!requireTool(t, 'setfattr', 'setfacl')) return;
  const { source, destination, from, to } = pair(t);
  for (const name of ['attribute', 'acl', 'same']) writeFileSync(from(name), name);
  symlinkSync('one', from('link'));
  await copyTree(source, destination);
  run('setfattr', ['-n', 'user.more', '-v', '1', from('attribute')]);
  run('setfacl', ['-m', 'u:12345:r,m::rw', to('acl')]);
  chmodSync(from('acl'), statSync(to('acl')).mode & 0o777);
  run('rm', [to('link')]);
  symlinkSync('two', to('link'));
  run('touch', ['-h', '-r', from('link'), to('link')]);
  const options = { update: true, itemize: true } as const;
  const dry = copyTree(source, destination, { ...options, dryRun: true });
  const foretold = await itemized(dry);
  const [root, ...entries] = foretold;
  assert.equal(root, 'metadata directory ', 'a link was removed from it and made again');
  assert.deepEqual(entries, ['metadata file acl', 'metadata file attribute', 'replace symlink link']);
  const real = copyTree(source, destination, options);
  assert.deepEqual(await itemized(real), foretold);
  const counts = ({ files, symlinks, updated }: CopyReport) => [files, symlinks, updated];
  assert.deepEqual(
    [counts(await dry), counts(await real)],
    [
      [0, 1, 2],
      [0, 1, 2],
    ],
  );
  assertSameTree(source, destination);
  assert.deepEqual(await itemized(copyTree(source, destination, options)), []);
});

test('fsync: each asks for every file, end for the whole file system, none for nothing', (t) => {
  if (!requireTool(t, 'strace')) return;
  const { source, base } = pair(t, plain);
  const asked = (fsync: string) => {
    const script = importable(`
      import { copyTree } from 'dirfd';
      await copyTree(process.argv[1], process.argv[2], { fsync: '${fsync}' });`);
    const command = [process.execPath, '--input-type=module', '-e', script, '--', source, `${base}/${fsync}`];
    const { events, status, stderr } = strace(command, { trace: ['fsync', 'fdatasync', 'syncfs'] });
    assert.equal(status, 0, stderr);
    return ['fsync', 'syncfs'].map((call) => events.filter((event) => event.call === call).length);
  };
  assert.deepEqual(asked('none'), [0, 0]);
  assert.deepEqual(asked('end'), [0, 1]);
  const [files, whole] = asked('each');
  assert.ok(files === 5 && whole === 1, `${files} fsync, ${whole} syncfs`);
});

test('oneFileSystem leaves a mount below the source out: an empty directory stands for it', async (t) => {
  const { source, destination, from, to } = pair(t, plain);
  if (!requireRoot(t)) return;
  run('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', from('empty')]);
  try {
    writeFileSync(from('empty', 'mounted'), '');
    // Into nothing; and over a copy, which is compared first.
    for (const update of [false, true]) {
      await copyTree(source, destination, { oneFileSystem: true, update });
      assert.deepEqual(readdirSync(to('empty')), []);
    }
    await copyTree(source, destination);
    assert.deepEqual(readdirSync(to('empty')), ['mounted']);
  } finally {
    run('umount', [from('empty')]);
  }
});

test('reflink: auto and always share extents where the file system can, never does not', async (t) => {
  if (!requireTool(t, 'filefrag')) return;
  const place = mounted(t, 'xfs');
  if (place === undefined) return;
  const { source, from, base } = pairIn(place);
  writeFileSync(from('file'), everyByte(1 << 20));
  run('sync', ['-f', place]);
  const shared = async (reflink: 'auto' | 'always' | 'never'): Promise<boolean> => {
    await copyTree(source, `${base}/${reflink}`, { reflink });
    run('sync', ['-f', place]);
    assertSameTree(source, `${base}/${reflink}`);
    return run('filefrag', ['-v', `${base}/${reflink}/file`]).includes('shared');
  };
  assert.equal(await shared('never'), false);
  const canClone = !isDisabled('ficlone');
  assert.equal(await shared('auto'), canClone || !isDisabled('copy_file_range'));
  if (canClone) assert.equal(await shared('always'), true);
  else await assert.rejects(async () => await copyTree(source, `${base}/always`, { reflink: 'always' }), FsError);
});

test('reflink: always fails where extents cannot be shared', async (t) => {
  const place = mounted(t, 'tmpfs', { megabytes: 4 });
  if (place === undefined) return;
  const { source, destination, from, to } = pairIn(place);
  writeFileSync(from('file'), everyByte(4096));
  await assert.rejects(async () => await copyTree(source, destination, { reflink: 'always' }), {
    name: 'FsError',
    code: 'ENOTSUP',
    path: 'file',
  });
  assert.equal(existsSync(to('file')), false);
});

test('any concurrency from 1 to 8 makes the same copy', async (t) => {
  const { source, base } = pair(t, (path) => project(path, 150));
  for (const concurrency of [1, 2, 3, 8]) {
    await copyTree(source, `${base}/${concurrency}`, { concurrency });
    assertSameTree(source, `${base}/${concurrency}`);
  }
});

test('onError: stop rejects with the first failure, continue copies the rest and lists it', async (t) => {
  const { source, destination, from, to } = pair(t, plain);
  mkdirSync(to('readme.md'), { recursive: true });
  mkdirSync(to('a', 'one.txt'), { recursive: true });
  await assert.rejects(async () => await copyTree(source, destination), { name: 'FsError', code: 'EISDIR' });
  const report = await copyTree(source, destination, { onError: 'continue' });
  assert.deepEqual(report.errors.map(({ path, error }) => [path, error.code, error.path]).sort(), [
    ['a/one.txt', 'EISDIR', 'a/one.txt'],
    ['readme.md', 'EISDIR', 'readme.md'],
  ]);
  assert.deepEqual([report.errorCount, report.exitCode], [2, 23]);
  assert.equal(text(to('one-again.txt')), 'one\n');
  assert.deepEqual(readFileSync(to('a/two.bin')), readFileSync(from('a/two.bin')));
});

test('values that make no sense are refused before anything is opened', async (t) => {
  const { source, destination } = pair(t);
  const wrong: Record<string, unknown>[] = [
    { reflink: 'maybe' },
    { sparse: true },
    { existing: 'overwrite' },
    { fsync: 'always' },
    { onError: 'ignore' },
    ...[0, -1, 1.5, Number.NaN, '4', 257].map((concurrency) => ({ concurrency })),
  ];
  for (const options of wrong) {
    const [name] = Object.keys(options);
    await assert.rejects(
      async () => await copyTree(source, destination, options as CopyOptions),
      { code: 'ERR_DIRFD_INVALID_ARGUMENT', message: new RegExp(name as string) },
      JSON.stringify(options),
    );
  }
  assert.equal(existsSync(destination), false);
});
