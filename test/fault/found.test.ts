// What the sweeps have found, each as a test of its own.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, readdirSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { importable } from '../fixtures/ordinary-user.js';
import { assertInjected, strace } from '../fixtures/strace.js';
import { quickTemporaryRoot, temporaryDirectory } from '../fixtures/temporary.js';
import { requireTool } from '../fixtures/tools.js';
import { Place } from './place.js';
import { canAttach } from './process.js';
import { subjectNamed } from './subjects.js';
import { Sweep } from './sweep.js';

/** Runs a script that prints JSON, with faults injected into whatever it does on `paths`. */
function withFault(script: string, args: readonly string[], inject: string, paths: readonly string[]): unknown {
  const command = [process.execPath, '--input-type=module', '-e', importable(script), '--', ...args];
  const traced = strace(command, { inject: [inject], paths });
  assertInjected(traced);
  assert.equal(traced.status, 0, traced.stderr);
  return JSON.parse(traced.stdout);
}

test('a seek for holes that fails is an error of verifyTree, and no difference', (t) => {
  if (!requireTool(t, 'strace')) return;
  const base = temporaryDirectory(t);
  for (const side of ['a', 'b']) {
    mkdirSync(join(base, side));
    execFileSync('truncate', ['-s', '1M', join(base, side, 'sparse')]);
  }
  const script = `
    import { verifyTree } from 'dirfd';
    const { errors, differences } = await verifyTree(process.argv[1], process.argv[2], { times: false, concurrency: 1 });
    console.log(JSON.stringify({ codes: errors.map(({ error }) => error.syscall + ' ' + error.code), differences }));
  `;
  const told = withFault(script, [join(base, 'a'), join(base, 'b')], 'lseek:error=EIO', [join(base, 'a', 'sparse')]);
  assert.deepEqual(told, { codes: ['lseek EIO'], differences: [] });
});

test('where the way up from a root cannot be climbed, copyTree rejects with an FsError that names it', (t) => {
  if (!requireTool(t, 'strace')) return;
  const base = temporaryDirectory(t);
  mkdirSync(join(base, 'source'));
  const script = `
    import { copyTree } from 'dirfd';
    const { name, code, syscall, directory, path } = await copyTree(process.argv[1], process.argv[2]).catch((error) => error);
    console.log(JSON.stringify({ name, code, syscall, directory, path }));
  `;
  const roots = [join(base, 'source'), join(base, 'copy')];
  // openat of '..', relative to the directory that is to hold the copy.
  const told = withFault(script, roots, 'openat:error=EACCES:when=1', [base]);
  assert.deepEqual(told, { name: 'FsError', code: 'EACCES', syscall: 'openat', directory: `${base}/`, path: '..' });
});

test('what the destination refuses is told with the directory of the destination', (t) => {
  if (!requireTool(t, 'strace')) return;
  const base = temporaryDirectory(t);
  mkdirSync(join(base, 'source'));
  writeFileSync(join(base, 'source', 'file'), 'content');
  const script = `
    import { copyTree } from 'dirfd';
    const { notKept } = await copyTree(process.argv[1], process.argv[2], { concurrency: 1 });
    console.log(JSON.stringify(notKept.map(({ path, what, message }) => [path, what, message])));
  `;
  const copy = join(base, 'copy');
  const told = withFault(script, [join(base, 'source'), copy], 'utimensat:error=EIO', [join(copy, 'file')]);
  assert.deepEqual(told, [['file', 'times', `EIO: i/o error, utimensat 'file' in '${copy}'`]]);
});

const syncScript = `
  import { copyTree } from 'dirfd';
  // Which thread makes which call is not certain: the fault may also be that of the look at the roots, of which nothing comes.
  const { errors } = await copyTree(process.argv[1], process.argv[2], {
    update: true, delete: true, concurrency: 1, onError: 'continue',
  }).catch((error) => ({ errors: [{ path: error.path, error }] }));
  console.log(JSON.stringify(errors.map(({ path, error }) => [path, error.syscall, error.code, error.directory])));
`;

type ToldOfSync = readonly (readonly [path: string, syscall: string, code: string, directory: string])[];

function mirrored(t: TestContext): { source: string; copy: string } {
  const base = temporaryDirectory(t);
  const [source, copy] = [join(base, 'source'), join(base, 'copy')];
  mkdirSync(source);
  writeFileSync(join(source, 'first'), 'content');
  linkSync(join(source, 'first'), join(source, 'second'));
  execFileSync('cp', ['-a', source, copy]);
  return { source, copy };
}

/** What a copy makes for itself begins so. */
const ownNames = (copy: string): string[] => readdirSync(copy).filter((name) => name.startsWith('.dirfd-'));

test('what is to be deleted and cannot be stat’ed is told', (t) => {
  if (!requireTool(t, 'strace')) return;
  const { source, copy } = mirrored(t);
  writeFileSync(join(copy, 'extra'), '');
  const told = withFault(syncScript, [source, copy], 'statx:error=EIO', ['extra']);
  assert.deepEqual(told, [['extra', 'statx', 'EIO', copy]]);
});

test('what lies in a tree that is to be deleted, and cannot be stat’ed when a filter looks there, is told', (t) => {
  if (!requireTool(t, 'strace')) return;
  const { source, copy } = mirrored(t);
  mkdirSync(join(copy, 'extra/below'), { recursive: true });
  const script = syncScript.replace('update: true,', "update: true, exclude: ['no such name'],");
  const told = withFault(script, [source, copy], 'statx:error=EIO', ['below']);
  assert.deepEqual(told, [['extra/below', 'statx', 'EIO', copy]]);
  assert.deepEqual(readdirSync(join(copy, 'extra')), ['below']);
});

test('a staging directory that cannot be removed is told by its name', (t) => {
  if (!requireTool(t, 'strace')) return;
  const { source, copy } = mirrored(t);
  unlinkSync(join(source, 'second'));
  unlinkSync(join(copy, 'second'));
  writeFileSync(join(source, 'first'), 'other content');
  const told = withFault(syncScript, [source, copy], 'unlinkat:error=EIO', [copy]);
  assert.deepEqual(told, [[ownNames(copy)[0], 'unlinkat', 'EIO', copy]]);
});

test('where a staging directory cannot be opened, or a name that is to be a link not be stat’ed, nothing of the copy’s own is left', (t) => {
  if (!requireTool(t, 'strace')) return;
  const faults: (readonly [fault: string, where: string])[] = [];
  for (const n of [2, 3, 4]) faults.push([`openat:error=EACCES:when=${n}`, 'copy']);
  for (const n of [1, 2, 3]) faults.push([`statx:error=EIO:when=${n}`, 'second']);
  let failed = 0;
  for (const [fault, where] of faults) {
    const { source, copy } = mirrored(t);
    writeFileSync(join(source, 'first'), 'other content');
    const told = withFault(syncScript, [source, copy], fault, [where === 'copy' ? copy : where]) as ToldOfSync;
    assert.deepEqual(ownNames(copy), [], `${fault} of ${where}: ${JSON.stringify(told)}`);
    if (told.length > 0) failed++;
  }
  assert.ok(failed >= 3, `of ${faults.length} faults only ${failed} made anything fail`);
});

/** Where the descriptors of a process lead, below `process.argv[1]`. */
const openBelow = `
  import { readdirSync, readlinkSync } from 'node:fs';
  const openBelow = () => readdirSync('/proc/self/fd').flatMap((fd) => {
    try { return readlinkSync('/proc/self/fd/' + fd); } catch { return []; }
  }).filter((link) => link.startsWith(process.argv[1]));
`;

test('a lock file whose file system does not answer is told with an FsError', (t) => {
  if (!requireTool(t, 'strace')) return;
  const base = temporaryDirectory(t);
  const script = `${openBelow}
    import { FileLock } from 'dirfd/lock';
    const { name, code, syscall, path } = await FileLock.open(process.argv[1], 'lock').catch((error) => error);
    console.log(JSON.stringify([name, code, syscall, path, openBelow()]));
  `;
  const told = withFault(script, [base], 'fstatfs:error=EIO', [join(base, 'lock')]);
  assert.deepEqual(told, ['FsError', 'EIO', 'fstatfs', 'lock', []]);
});

test('a lock that cannot be given back at the end is told, and its file and directory are closed', (t) => {
  if (!requireTool(t, 'strace')) return;
  const base = temporaryDirectory(t);
  const script = `${openBelow}
    import { FileLock } from 'dirfd/lock';
    const lock = await FileLock.open(process.argv[1], 'lock');
    await lock.lock();
    const { name, code } = await lock.close().catch((error) => error);
    console.log(JSON.stringify([name, code, openBelow()]));
  `;
  // The first is the one that takes it.
  const told = withFault(script, [base], 'fcntl:error=ENOLCK:when=2', [join(base, 'lock')]);
  assert.deepEqual(told, ['FsError', 'ENOLCK', []]);
});

test('a file that does not close keeps nothing else open', (t) => {
  if (!requireTool(t, 'strace')) return;
  const base = temporaryDirectory(t);
  const script = `${openBelow}
    import { AuditTrail } from 'dirfd/audit';
    const trail = await AuditTrail.open(process.argv[1], 'trail');
    const { name, code, syscall } = await trail.close().catch((error) => error);
    console.log(JSON.stringify([name, code, syscall, openBelow()]));
  `;
  const told = withFault(script, [base], 'close:error=EIO', [join(base, 'trail')]);
  // A close that was made to fail was not made.
  assert.deepEqual(told, ['FsError', 'EIO', 'close', [join(base, 'trail')]]);
});

for (const name of ['atomic-full', 'atomic-at-once', 'update-json']) {
  test(`${name}: what does not close once the file is the new one is told by a DurabilityError, and by nothing else`, async (t) => {
    if (!canAttach(t)) return;
    const subject = subjectNamed(name);
    const place = await Place.make(subject, quickTemporaryRoot());
    const sweep = new Sweep(subject, place);
    t.after(async () => {
      await sweep.end();
      place.remove();
    });
    const closes = (await sweep.points()).filter(({ call }) => call === 'close');
    assert.ok(closes.length >= 3, `${closes.length} closes`);
    for (const point of closes) {
      const { is, details } = await sweep.inject({ ...point, fault: 'EIO' });
      assert.ok(['identical', 'told'].includes(is), `${point.about}: ${is}: ${details}`);
    }
  });
}

test('a directory of transactions that is gone as soon as it is made is told with an FsError', async (t) => {
  if (!canAttach(t)) return;
  const subject = subjectNamed('transaction');
  const place = await Place.make(subject, quickTemporaryRoot());
  const sweep = new Sweep(subject, place);
  t.after(async () => {
    await sweep.end();
    place.remove();
  });
  const points = await sweep.points();
  for (const [call, fault] of Object.entries({ mkdirat: 'EEXIST', openat2: 'ENOENT' })) {
    const point = points.find((each) => each.call === call && each.about.endsWith('".dirfd-transactions"'));
    assert.ok(point !== undefined, `no ${call}`);
    const { is, details } = await sweep.inject({ ...point, fault });
    assert.equal(is, 'told', `${call}: ${details}`);
  }
});
