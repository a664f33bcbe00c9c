// removeTree: everything below a name, and nothing else.
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { attempt } from '../fixtures/command.js';
import { expectNoLeaks } from '../fixtures/descriptors.js';
import { limitOpenFilesSource } from '../fixtures/limits.js';
import { importable, ordinaryDirectory, ordinaryUserCanRun, runAsOrdinaryUser } from '../fixtures/ordinary-user.js';
import { isRoot, requireTool } from '../fixtures/tools.js';
import { deep, metadata, names, plain, wide } from '../fixtures/trees.js';
import { rejects, scratch } from './scratch.js';

expectNoLeaks();

const trees = { plain, names, deep, wide, metadata: (directory: string) => void metadata(directory) };

for (const [name, fill] of Object.entries(trees)) {
  test(`the tree '${name}' is removed whole, and each entry counted`, async (t) => {
    const { path, directory } = await scratch(t);
    mkdirSync(join(path, 'tree'));
    fill(join(path, 'tree'));
    // A directory of mode 0000 stops its own owner, and rm -r too.
    if (!isRoot()) attempt('chmod', ['-R', 'u+rwX', join(path, 'tree')]);
    const entries = attempt('find', [join(path, 'tree'), '-printf', '.']).stdout.length;
    const report = await directory.removeTree('tree');
    assert.deepEqual(report, { entries, errors: [], errorCount: 0 });
    assert.deepEqual(readdirSync(path), []);
  });
}

test('links are removed, not followed; a dot empties the directory', async (t) => {
  const { path, directory } = await scratch(t);
  mkdirSync(join(path, 'outside'));
  writeFileSync(join(path, 'outside/sentinel'), 'kept');
  mkdirSync(join(path, 'tree/a/b'), { recursive: true });
  symlinkSync('../outside', join(path, 'tree/link'));
  symlinkSync(join(path, 'outside'), join(path, 'tree/a/absolute'));
  await using tree = await directory.openDirectory('tree');
  assert.equal((await tree.removeTree('.')).entries, 4);
  assert.deepEqual(await tree.readdir(), []);
  symlinkSync('outside', join(path, 'link'));
  assert.equal((await directory.removeTree('link')).entries, 1);
  assert.equal(readFileSync(join(path, 'outside/sentinel'), 'utf8'), 'kept');
});

test('what is missing is an error, or none with force', async (t) => {
  const { path, directory } = await scratch(t);
  await rejects(directory.removeTree('missing'), { code: 'ENOENT', path: 'missing', directory: path });
  await rejects(directory.removeTree('missing/x'), { code: 'ENOENT', path: 'missing/x' });
  const nothing = { entries: 0, errors: [], errorCount: 0 };
  assert.deepEqual(await directory.removeTree('missing', { force: true }), nothing);
  assert.deepEqual(await directory.removeTree('missing/x', { force: true, onError: 'continue' }), nothing);
  await rejects(directory.removeTree('x', { onError: 'ignore' as 'stop' }), 'ERR_DIRFD_INVALID_ARGUMENT');
  await rejects(directory.removeTree('..'), 'ERR_DIRFD_PATH_ESCAPE');
});

test('two removals of one deep tree both find that it is gone', async (t) => {
  const { path, directory } = await scratch(t);
  for (let round = 0; round < 3; round++) {
    mkdirSync(join(path, 'tree'));
    deep(join(path, 'tree'), 400);
    const both = ['stop', 'continue'] as const;
    const reports = await Promise.all(both.map((onError) => directory.removeTree('tree', { force: true, onError })));
    assert.deepEqual(
      reports.map(({ errors }) => errors),
      [[], []],
    );
    assert.deepEqual(readdirSync(path), []);
  }
});

test('an abort stops the removal and is waited for', async (t) => {
  const { path, directory } = await scratch(t);
  mkdirSync(join(path, 'tree'));
  wide(join(path, 'tree'));
  const entries = readdirSync(join(path, 'tree')).length;
  const reason = new Error('enough');
  await assert.rejects(directory.removeTree('tree', { signal: AbortSignal.abort(reason) }), reason);
  assert.equal(readdirSync(join(path, 'tree')).length, entries, 'aborted before: nothing is removed');
  const controller = new AbortController();
  const removal = directory.removeTree('tree', { signal: controller.signal });
  controller.abort(reason);
  await assert.rejects(removal, reason);
  const left = () => (readdirSync(path).length === 0 ? 0 : readdirSync(join(path, 'tree')).length);
  const atOnce = left();
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(left(), atOnce, 'nothing goes on after the promise has settled');
});

test('a deep tree needs few descriptors', async (t) => {
  if (!requireTool(t, 'prlimit')) return;
  const { path, directory } = await scratch(t);
  await directory.mkdir('d/'.repeat(500), { recursive: true });
  const script = importable(`
    import { DirectoryFd } from 'dirfd';
    ${limitOpenFilesSource(40)}
    const directory = await DirectoryFd.open(process.argv[1]);
    console.log((await directory.removeTree('.')).entries);`);
  const ran = attempt(process.execPath, ['--input-type=module', '-e', script, '--', path]);
  assert.equal(ran.stdout, '500\n', ran.stderr);
});

test('what may not be removed is told with its path, and the rest goes with onError: continue', (t) => {
  if (!ordinaryUserCanRun(t)) return;
  const ran = runAsOrdinaryUser(
    ordinaryDirectory(t),
    `import { DirectoryFd } from 'dirfd';
     import { mkdirSync, writeFileSync, chmodSync } from 'node:fs';
     for (const name of ['tree/a', 'tree/locked/inner', 'tree/z']) mkdirSync(name, { recursive: true });
     for (const name of ['tree/a/1', 'tree/locked/2', 'tree/locked/inner/3', 'tree/z/4']) writeFileSync(name, '');
     chmodSync('tree/locked', 0o555);
     const directory = await DirectoryFd.open('.');
     const stopped = await directory.removeTree('tree/locked').catch((error) => error);
     const { entries, errors, errorCount } = await directory.removeTree('tree', { onError: 'continue' });
     console.log(JSON.stringify([stopped.code, entries, errorCount, errors.map(({ error, path }) => [error.code, path]).sort()]));
     chmodSync('tree/locked', 0o755);`,
  );
  const [code, removed, failed, failures] = JSON.parse(ran.stdout || 'null') ?? [ran.stderr];
  assert.equal(code, 'EACCES', ran.stderr);
  assert.ok(removed >= 4, `removed ${removed}`);
  assert.equal(failed, failures.length);
  assert.ok(
    failures.every(([errno, path]: string[]) => errno === 'EACCES' && path?.startsWith('tree/locked/')),
    String(failures),
  );
});
