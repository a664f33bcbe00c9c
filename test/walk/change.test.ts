// Trees that change under the walk, and directories that deny access: each step is staged while the consumer holds the walk back.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { type FsError, type WalkOptions, walk } from 'dirfd';
import { bindMount } from '../fixtures/mounts.js';
import { ordinaryDirectory, ordinaryUserCanRun, runAsOrdinaryUser } from '../fixtures/ordinary-user.js';
import { temporaryDirectory } from '../fixtures/temporary.js';
import { isRoot, requireRoot } from '../fixtures/tools.js';

/** `d1` … `d9`, each with a file. */
function nine(root: string): void {
  for (let at = 1; at <= 9; at++) {
    mkdirSync(join(root, `d${at}`));
    writeFileSync(join(root, `d${at}`, 'file'), '');
  }
}

/** Every directory is decided in JavaScript, so that what `act` does falls between its stat and its open. */
function actBefore(directory: string, act: () => void): WalkOptions['filter'] {
  return (entry) => {
    if (String(entry.path) === directory) act();
    return 'include';
  };
}

const orders = ['any', 'breadth', 'depth', 'sorted'] as const;

for (const order of orders) {
  test(`a directory swapped for a symlink before it is opened is an error and never followed, in order ${order}`, async (t) => {
    const root = temporaryDirectory(t);
    const outside = temporaryDirectory(t);
    writeFileSync(join(outside, 'secret'), '');
    nine(root);
    const swap = () => {
      renameSync(join(root, 'd5'), join(root, 'moved'));
      symlinkSync(outside, join(root, 'd5'));
    };
    const errors: FsError[] = [];
    const paths: string[] = [];
    const options: WalkOptions = { order, filter: actBefore('d5', swap), onError: (error) => void errors.push(error) };
    for await (const { path } of walk(root, options)) paths.push(String(path));
    assert.deepEqual(
      errors.map(({ code, path }) => [code, path]),
      [['ERR_DIRFD_CHANGED', 'd5']],
    );
    assert.ok(!paths.some((path) => path.includes('secret')));
    assert.ok(paths.includes('d9/file'), 'the walk goes on');
  });

  test(`a directory that is gone before it is opened is counted and passed over, in order ${order}`, async (t) => {
    const root = temporaryDirectory(t);
    nine(root);
    const walking = walk(root, {
      order,
      filter: actBefore('d5', () => rmSync(join(root, 'd5'), { recursive: true })),
    });
    const paths: string[] = [];
    for await (const { path } of walking) paths.push(path);
    assert.equal(paths.length, 17);
    assert.equal(walking.statistics.vanished, 1);
    assert.equal(walking.statistics.errors, 0);
  });

  test(`a directory that is removed while it is read is counted and passed over, in order ${order}`, async (t) => {
    const root = temporaryDirectory(t);
    nine(root);
    mkdirSync(join(root, 'd5', 'sub'));
    const remove = () => rmSync(join(root, 'd5'), { recursive: true });
    const walking = walk(root, { order, concurrency: 1, filter: actBefore('d5/sub', remove) });
    const paths: string[] = [];
    for await (const { path } of walking) paths.push(path);
    assert.ok(paths.includes('d9/file'), 'the walk goes on');
    assert.ok(walking.statistics.vanished > 0);
    assert.equal(walking.statistics.errors, 0);
  });

  test(`where a parent has to be reached again and is another directory by then, the walk says so, in order ${order}`, async (t) => {
    const root = temporaryDirectory(t);
    mkdirSync(join(root, 'p', 'q', 'r'), { recursive: true });
    mkdirSync(join(root, 'p', 'q', 's'), { recursive: true });
    const swap = () => {
      renameSync(join(root, 'p'), join(root, '..', `${root.split('/').at(-1)}-moved`));
      mkdirSync(join(root, 'p', 'q', 'r', 'planted'), { recursive: true });
      mkdirSync(join(root, 'p', 'q', 's', 'planted'), { recursive: true });
    };
    t.after(() => rmSync(`${root}-moved`, { recursive: true, force: true }));
    const errors: FsError[] = [];
    const paths: string[] = [];
    const options: WalkOptions = {
      order,
      concurrency: 1,
      maxOpenDirectories: 3,
      filter: actBefore('p/q/r', swap),
      onError: (error) => void errors.push(error),
    };
    for await (const { path } of walk(root, options)) paths.push(String(path));
    assert.ok(!paths.some((path) => path.includes('planted')), 'nothing of the other directory is reported');
    assert.ok(
      errors.every(({ code }) => code === 'ERR_DIRFD_CHANGED'),
      String(errors),
    );
  });
}

test('a directory on which something is mounted before it is opened is not entered, with oneFileSystem', async (t) => {
  if (!requireRoot(t)) return;
  const [root, outside] = [temporaryDirectory(t), temporaryDirectory(t)];
  writeFileSync(join(outside, 'secret'), '');
  nine(root);
  const errors: FsError[] = [];
  const paths: string[] = [];
  const walking = walk(root, {
    oneFileSystem: true,
    filter: actBefore('d5', () => void bindMount(t, outside, join(root, 'd5'))),
    onError: (error) => void errors.push(error),
  });
  for await (const { path } of walking) paths.push(path);
  assert.deepEqual(
    errors.map(({ code, path }) => [code, path]),
    [['ERR_DIRFD_CHANGED', 'd5']],
  );
  assert.ok(!paths.some((path) => path.includes('secret')));
  assert.ok(paths.includes('d9/file'), 'the walk goes on');
});

test('an error by policy throw ends the walk with it', async (t) => {
  const root = temporaryDirectory(t);
  nine(root);
  const swap = () => {
    rmSync(join(root, 'd3'), { recursive: true });
    writeFileSync(join(root, 'd3'), '');
  };
  await assert.rejects(
    async () => {
      for await (const _ of walk(root, { order: 'sorted', filter: actBefore('d3', swap) }));
    },
    { name: 'FsError', code: 'ERR_DIRFD_CHANGED', path: 'd3', directory: root },
  );
});

test('an error by policy report is an entry of its own', async (t) => {
  const root = temporaryDirectory(t);
  nine(root);
  const swap = () => {
    rmSync(join(root, 'd3'), { recursive: true });
    writeFileSync(join(root, 'd3'), '');
  };
  const events: unknown[] = [];
  for await (const entry of walk(root, { order: 'sorted', onError: 'report', filter: actBefore('d3', swap) })) {
    if (entry.event !== 'error') continue;
    events.push([entry.path, entry.name, entry.depth, entry.kind, entry.error?.code]);
    assert.throws(() => entry.stat, { code: 'ERR_DIRFD_CHANGED' });
    assert.equal((entry.toJSON() as { error: { code: string } }).error.code, 'ERR_DIRFD_CHANGED');
  }
  assert.deepEqual(events, [['d3', 'd3', 1, 'directory', 'ERR_DIRFD_CHANGED']]);
});

test('what an error function throws ends the walk', async (t) => {
  const root = temporaryDirectory(t);
  nine(root);
  const onError = () => {
    throw new Error('from onError');
  };
  const swap = () => {
    rmSync(join(root, 'd3'), { recursive: true });
    writeFileSync(join(root, 'd3'), '');
  };
  await assert.rejects(
    async () => {
      for await (const _ of walk(root, { onError, filter: actBefore('d3', swap) }).batches());
    },
    { message: 'from onError' },
  );
});

test('a directory that denies access is an error, and its neighbours are walked', (t) => {
  const script = `
    import { walk } from 'dirfd';
    const seen = [], errors = [];
    for await (const { path } of walk(process.argv[1], { order: 'sorted', onError: (e) => errors.push(e.code + ' ' + e.path) })) seen.push(path);
    console.log(JSON.stringify({ seen, errors }));
  `;
  if (isRoot() && !ordinaryUserCanRun(t)) return;
  const directory = isRoot() ? ordinaryDirectory(t) : temporaryDirectory(t);
  const ran = runAsOrdinaryUser(
    directory,
    `import { mkdirSync, writeFileSync, chmodSync } from 'node:fs';
     for (const d of ['a', 'b', 'c']) { mkdirSync('t/' + d, { recursive: true }); writeFileSync('t/' + d + '/file', ''); }
     chmodSync('t/a', 0o000); chmodSync('t/b', 0o444);
     ${script.replace('process.argv[1]', "'t'")}
     chmodSync('t/a', 0o700); chmodSync('t/b', 0o700);`,
  );
  assert.deepEqual(
    JSON.parse(ran.stdout),
    {
      seen: ['a', 'b', 'c', 'c/file'],
      errors: ['EACCES a', 'EACCES b/file'],
    },
    ran.stderr,
  );
  void chmodSync;
});
