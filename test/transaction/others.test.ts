// Others at the same time: processes, readers, attackers, and a disk without room.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { DirectoryFd } from 'dirfd';
import {
  ConflictError,
  FileTransaction,
  pending,
  pruneTransactions,
  recover,
  undo,
  withReadLock,
} from 'dirfd/transaction';
import { Applier } from '#dist/transaction/apply.js';
import { identityOf } from '#dist/transaction/identity.js';
import { Journal } from '#dist/transaction/journal.js';
import { Obstacle } from '#dist/transaction/take.js';
import { attempt, run } from '../fixtures/command.js';
import { repositoryRoot } from '../fixtures/repository.js';
import { temporaryDirectory } from '../fixtures/temporary.js';
import { requireRoot, requireTool } from '../fixtures/tools.js';
import { fill, leavings, rootWith, STATE, snapshot } from './snapshot.js';

const entry = JSON.stringify(pathToFileURL(join(repositoryRoot, 'dist/transaction/main.js')).href);

function started(script: string, ...args: string[]) {
  return spawn(process.execPath, ['--input-type=module', '-e', script, '--', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

describe('two processes', () => {
  test('that commit to the same files are serialised or end in a ConflictError, and lose no update', async (t) => {
    const root = rootWith(t, { one: '0', two: '0' });
    const script = `
      import { ConflictError, FileTransaction } from ${entry};
      for (let done = 0; done < 10; ) {
        const transaction = await FileTransaction.begin(process.argv[1]);
        try {
          for (const name of ['one', 'two']) {
            await transaction.write(name, String(Number(await transaction.readText(name)) + 1));
          }
          await transaction.commit();
          done++;
        } catch (error) {
          // One who reads while the other commits may see one file of each, but cannot commit by it.
          if (!(error instanceof ConflictError) && error.name !== 'ValidationError') throw error;
        } finally {
          await transaction.rollback();
        }
      }`;
    const children = [started(script, root), started(script, root)];
    const reads = withReader(
      root,
      children.map((child) => once(child, 'exit')),
    );
    const codes = await Promise.all(children.map(async (child) => (await once(child, 'exit'))[0]));
    assert.deepEqual(codes, [0, 0]);
    assert.ok((await reads) > 0);
    assert.deepEqual(snapshot(root), { one: 'file 644 20', two: 'file 644 20' });
    assert.deepEqual(leavings(root), []);
  });

  /** Reads both files under the shared lock until all have ended; they must always be of the same commit. */
  async function withReader(root: string, ends: Promise<unknown>[]): Promise<number> {
    let running = true;
    void Promise.all(ends).then(() => {
      running = false;
    });
    let reads = 0;
    for (; running; reads++) {
      const [one, two] = await withReadLock(root, () => [
        readFileSync(join(root, 'one'), 'utf8'),
        readFileSync(join(root, 'two'), 'utf8'),
      ]);
      assert.equal(one, two);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    return reads;
  }

  test('do not disturb each other: recovery leaves what is staged by a living process alone', async (t) => {
    const root = rootWith(t, { a: 'a' });
    const child = started(
      `import { FileTransaction } from ${entry};
       const transaction = await FileTransaction.begin(process.argv[1], { transactionId: 'living' });
       await transaction.write('a', 'new');
       console.log('staged');
       setInterval(() => {}, 1000);`,
      root,
    );
    await once(child.stdout, 'data');
    assert.deepEqual((await recover(root)).active, ['living']);
    assert.deepEqual(leavings(root), ['living']);
    child.kill('SIGKILL');
    await once(child, 'exit');
    assert.deepEqual(
      (await pending(root)).map(({ state }) => state),
      ['staged'],
    );
    // Who commits next clears it away, as recover() does.
    await using transaction = await FileTransaction.begin(root);
    await transaction.write('b', 'b');
    await transaction.commit();
    assert.deepEqual(leavings(root), []);
  });
});

describe('undo', () => {
  test('refuses to overwrite what was edited since, names it, and takes the rest back on request', async (t) => {
    const root = rootWith(t, { a: 'a', b: 'b', 'd/x': 'x' });
    await using transaction = await FileTransaction.begin(root, { transactionId: 't', keepUndo: true });
    await transaction.write('a', 'new');
    await transaction.move('b', 'c');
    await transaction.mkdir('n');
    await transaction.write('n/file', 'new');
    await transaction.delete('d');
    await transaction.commit();
    fill(root, { a: 'edited', 'n/other': 'theirs', d: 'theirs' });
    const edited = snapshot(root);
    await assert.rejects(undo(root, 't'), (error) => {
      assert.ok(error instanceof ConflictError);
      assert.deepEqual([...error.paths].sort(), ['a', 'd', 'n']);
      return true;
    });
    assert.deepEqual(snapshot(root), edited);
    await undo(root, 't', { only: ['c'] });
    assert.deepEqual(snapshot(root), { ...omit(edited, 'c'), b: 'file 644 b' });
    await assert.rejects(undo(root, 't', { only: ['b'] }), { name: 'ValidationError' });
    await assert.rejects(undo(root, 'unknown'), { name: 'StateError' });
  });
});

test('as many transactions are kept for undo as the retention says', async (t) => {
  const root = rootWith(t);
  for (const transactionId of ['one', 'two', 'three']) {
    await using transaction = await FileTransaction.begin(root, { transactionId, keepUndo: { count: 2 } });
    await transaction.write('a', transactionId);
    await transaction.commit();
  }
  assert.deepEqual(leavings(root).sort(), ['three', 'two']);
  await undo(root, 'three');
  await undo(root, 'two');
  assert.deepEqual(snapshot(root), { a: 'file 644 one' });
});

test('a prune leaves alone what an undo has begun to take back since it looked', async (t) => {
  const root = rootWith(t);
  {
    await using transaction = await FileTransaction.begin(root, { transactionId: 't', keepUndo: true });
    await transaction.write('a', 'new');
    await transaction.commit();
  }
  await using work = await DirectoryFd.open(join(root, STATE, 't'));
  let pruned: Promise<string[]> | undefined;
  await withReadLock(root, async () => {
    pruned = pruneTransactions(root);
    await new Promise((resolve) => setTimeout(resolve, 300));
    const resumed = await Journal.resume(work);
    assert.ok(resumed !== 'active');
    await resumed.journal.append([{ record: 'back', why: 'undo' }]);
    await resumed.journal[Symbol.asyncDispose]();
  });
  assert.deepEqual(await pruned, []);
  assert.deepEqual((await recover(root)).rolledBack, ['t']);
  assert.deepEqual(snapshot(root), {});
});

test('a log is locked also where somebody reads it in the moment in which it is made', async (t) => {
  await using held = await DirectoryFd.open(rootWith(t));
  const openFile = held.openFile.bind(held);
  let reading: Promise<void> | undefined;
  held.openFile = (async (...args: Parameters<typeof openFile>) => {
    const file = await openFile(...args);
    const reader = await openFile('log');
    assert.ok(await reader.tryLock({ shared: true }));
    reading = new Promise((resolve) => setTimeout(resolve, 100)).then(() => reader.close());
    return file;
  }) as typeof openFile;
  await using _journal = await Journal.create(held);
  held.openFile = openFile;
  await reading;
  assert.equal((await Journal.read(held)).active, true);
});

function omit(tree: Readonly<Record<string, string>>, path: string): Record<string, string> {
  return Object.fromEntries(Object.entries(tree).filter(([name]) => name !== path));
}

test('an edit of a directory that is made while it is copied to another root is a conflict, and stays', async (t) => {
  const files = Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`d/${i}`, 'old']));
  const [one, two] = [rootWith(t, files), rootWith(t)];
  await using transaction = await FileTransaction.begin({ one, two }, { transactionId: 't' });
  let ended = false;
  const move = transaction.move({ root: 'one', path: 'd' }, { root: 'two', path: 'd' }).finally(() => {
    ended = true;
  });
  const copy = join(two, STATE, 't/0');
  let copied: string | undefined;
  while (copied === undefined && !ended) {
    await new Promise(setImmediate);
    if (existsSync(copy)) copied = readdirSync(copy).find((name) => /^\d+$/.test(name));
  }
  assert.ok(copied !== undefined && !ended, 'the copy is being made');
  writeFileSync(join(one, 'd', copied), 'edited while it was copied');
  await move;
  await assert.rejects(transaction.commit(), ConflictError);
  assert.equal(readFileSync(join(one, 'd', copied), 'utf8'), 'edited while it was copied');
  assert.deepEqual(snapshot(two), {});
});

describe('a mode', () => {
  test('is not given to what has the name by the time of the commit', async (t) => {
    const root = rootWith(t, { a: 'a', other: 'other' });
    run('chmod', ['644', join(root, 'a'), join(root, 'other')]);
    await using transaction = await FileTransaction.begin(root);
    await transaction.chmod('a', 0o600);
    renameSync(join(root, 'other'), join(root, 'a'));
    await assert.rejects(transaction.commit(), (error) => error instanceof ConflictError && error.paths[0] === 'a');
    assert.deepEqual(snapshot(root), { a: 'file 644 other' });
  });

  test('is not given to what gets the name after the last look', async (t) => {
    const root = rootWith(t, { a: 'a', 'work/': '' });
    run('chmod', ['644', join(root, 'a')]);
    await using held = await DirectoryFd.open(root);
    await using work = await held.openDirectory('work');
    const { ino, birth } = identityOf(await held.stat());
    const place = { root: 0, parent: '', within: `${ino} ${birth}`, name: 'a' };
    const of = identityOf(await held.stat('work'));
    await using applier = new Applier([{ root: held, work }]);
    await assert.rejects(
      applier.take([[0, { do: 'chmod', ...place, of, from: 0o644, to: 0o600 }]], () => {}),
      Obstacle,
    );
    assert.equal((await held.stat('a')).mode & 0o777, 0o644);
  });
});

describe('an attacker who can change the root', () => {
  test('gets nothing written outside by links planted at names and in the place of directories', async (t) => {
    const outside = rootWith(t);
    writeFileSync(join(outside, 'victim'), 'untouched');
    for (let round = 0; round < 8; round++) {
      const root = rootWith(t, { 'd/victim': 'old', 'e/victim': 'old' });
      await using transaction = await FileTransaction.begin(root);
      await transaction.write('d/victim', 'new');
      await transaction.write('d/new', 'new');
      await transaction.delete('e');
      const attack = () => {
        renameSync(join(root, 'd'), join(root, `moved${round}`));
        if (round % 2 === 0) symlinkSync(outside, join(root, 'd'));
        else {
          mkdirSync(join(root, 'd'));
          symlinkSync(join(outside, 'victim'), join(root, 'd/new'));
          linkSync(join(outside, 'victim'), join(root, 'd/victim'));
        }
      };
      // At a moment of its own, in the middle of the commit.
      const commit = transaction.commit().then(
        () => true,
        (error) => error as Error,
      );
      for (let turn = 0; turn < round * 6; turn++) await new Promise(setImmediate);
      attack();
      await commit;
      assert.equal(readFileSync(join(outside, 'victim'), 'utf8'), 'untouched');
      assert.deepEqual(readdirSync(outside), ['victim']);
    }
  });

  test('cannot have a FIFO opened, or a planted directory of transactions believed', async (t) => {
    if (!requireTool(t, 'mkfifo')) return;
    const root = rootWith(t);
    run('mkfifo', [join(root, 'fifo')]);
    await using transaction = await FileTransaction.begin(root);
    await assert.rejects(transaction.read('fifo'), { name: 'ValidationError' });
    await assert.rejects(transaction.write('fifo', ''), { name: 'ValidationError' });
    const open = rootWith(t);
    mkdirSync(join(open, STATE));
    run('chmod', ['777', join(open, STATE)]);
    await assert.rejects(recover(open), { name: 'StateError' });
    await assert.rejects(FileTransaction.begin(open), { name: 'StateError' });
    const linked = rootWith(t);
    symlinkSync(root, join(linked, STATE));
    await assert.rejects(FileTransaction.begin(linked), { code: 'ENOTDIR' });
  });
});

test('a disk that fills while files are staged leaves all as it was', async (t) => {
  if (!requireRoot(t) || !requireTool(t, 'mount')) return;
  const root = join(temporaryDirectory(t), 'small');
  mkdirSync(root);
  if (attempt('mount', ['-t', 'tmpfs', '-o', 'size=1m,mode=755', 'none', root]).status !== 0) {
    t.skip('needs the right to mount');
    return;
  }
  fill(root, { a: 'a' });
  const before = snapshot(root);
  {
    await using transaction = await FileTransaction.begin(root);
    await transaction.write('a', 'new');
    await assert.rejects(transaction.write('large', Buffer.alloc(2 * 1024 * 1024)), { code: 'ENOSPC' });
    await assert.rejects(transaction.commit(), { code: 'ENOSPC' });
  }
  assert.deepEqual(snapshot(root), before);
  assert.deepEqual(leavings(root), []);
});

test('an edit made after a crash stands, and recovery tells of it', async (t) => {
  if (!requireTool(t, 'strace')) return;
  const { files, runKilled } = await import('./crash.js');
  const root = rootWith(t, files);
  assert.ok(runKilled('commit', [root, 'drop'], { call: 'renameat', nth: 2 }));
  writeFileSync(join(root, 'a'), 'edited after the crash');
  await assert.rejects(recover(root), { name: 'StateError', paths: ['a'] });
  await assert.rejects(
    FileTransaction.begin(root).then(async (transaction) => {
      await using _transaction = transaction;
      await transaction.write('other', '');
      await transaction.commit();
    }),
    { name: 'StateError' },
  );
  assert.equal(readFileSync(join(root, 'a'), 'utf8'), 'edited after the crash');
  const { finished, kept } = await recover(root, { edits: 'keep' });
  assert.deepEqual([finished, kept], [['t'], ['a']]);
  assert.equal(readFileSync(join(root, 'a'), 'utf8'), 'edited after the crash');
  assert.equal(readFileSync(join(root, 'e/w'), 'utf8'), 'w');
  assert.deepEqual(leavings(root), []);
});

test('a new directory that is renamed or removed after a crash does not keep the recovery from its end', async (t) => {
  if (!requireTool(t, 'strace')) return;
  const { files, killPoints, runKilled } = await import('./crash.js');
  // All steps are taken then; the log does not say so yet.
  const last = killPoints('commit', [rootWith(t, files), 'keep']).findLast(({ call }) => call === 'pwrite64');
  assert.ok(last);
  for (const change of [
    (root: string) => renameSync(join(root, 'n'), join(root, 'renamed')),
    (root: string) => {
      run('rm', ['-r', join(root, 'n')]);
      writeFileSync(join(root, 'n'), 'theirs');
    },
  ]) {
    const root = rootWith(t, files);
    assert.ok(runKilled('commit', [root, 'keep'], last));
    assert.equal(readFileSync(join(root, 'n/new'), 'utf8'), 'new');
    change(root);
    assert.deepEqual((await recover(root)).finished, ['t']);
    assert.deepEqual(await pending(root), []);
    assert.equal(readFileSync(join(root, 'e/w'), 'utf8'), 'w');
  }
});
