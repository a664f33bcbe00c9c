// What others have moved, copied, removed or closed since: nothing goes half of the way, and nothing that is kept is lost.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { DirectoryFd } from 'dirfd';
import { ConflictError, FileTransaction, listTransactions, pruneTransactions, recover, undo } from 'dirfd/transaction';
import { Applier } from '#dist/transaction/apply.js';
import { Journal } from '#dist/transaction/journal.js';
import { run } from '../fixtures/command.js';
import { ordinaryDirectory, ordinaryUserCanRun, runAsOrdinaryUser } from '../fixtures/ordinary-user.js';
import { repositoryRoot } from '../fixtures/repository.js';
import { strace } from '../fixtures/strace.js';
import { requireTool } from '../fixtures/tools.js';
import { commandOf, env, files } from './crash.js';
import { committed, cutShort } from './cut-short.js';
import { leavings, rootWith, STATE, snapshot } from './snapshot.js';

describe('undo takes nothing back', () => {
  const refused = async (root: string, paths: readonly string[], only?: readonly string[]) => {
    const edited = snapshot(root);
    await assert.rejects(undo(root, 't', { only }), (error) => {
      assert.ok(error instanceof ConflictError, String(error));
      assert.deepEqual([...error.paths].sort(), paths);
      return true;
    });
    assert.deepEqual(snapshot(root), edited);
    // Nor does it stand in the way of others.
    await using other = await FileTransaction.begin(root);
    await other.write('other', '');
    await other.commit();
  };

  test('where somebody has moved the directory of what was deleted, and all of it once it is back', async (t) => {
    const root = rootWith(t, { 'd/a': 'a', 'd/z': 'z', b: 'old' });
    const before = snapshot(root);
    await committed(root, async (transaction) => {
      await transaction.delete('d/a');
      await transaction.write('b', 'new');
    });
    renameSync(join(root, 'd'), join(root, 'e'));
    await refused(root, ['d/a']);
    renameSync(join(root, 'e'), join(root, 'd'));
    await undo(root, 't');
    assert.deepEqual(snapshot(root), { ...before, other: 'file 644 ' });
  });

  test('where somebody uses the name from which a file was moved', async (t) => {
    const root = rootWith(t, { b: 'b', c: 'old c' });
    await committed(root, async (transaction) => {
      await transaction.write('c', 'new c');
      await transaction.move('b', 'a');
    });
    writeFileSync(join(root, 'b'), 'theirs');
    await refused(root, ['b']);
  });

  test('where somebody uses a name in a directory that the transaction has moved', async (t) => {
    const root = rootWith(t, { 'd/s/a': 'a', 'd/s/z': 'z', c: 'old c' });
    await committed(root, async (transaction) => {
      await transaction.delete('d/s/a');
      await transaction.move('d/s/z', 'z');
      await transaction.write('c', 'new c');
      await transaction.move('d', 'e');
    });
    writeFileSync(join(root, 'e/s/a'), 'theirs');
    await refused(root, ['d/s/a']);
    renameSync(join(root, 'e/s/a'), join(root, 'e/s/z'));
    await refused(root, ['d/s/z']);
  });

  test('where somebody has moved a directory within one that the transaction has moved', async (t) => {
    const root = rootWith(t, { 'd/s/a': 'a', 'd/s/z': 'z', c: 'old c' });
    await committed(root, async (transaction) => {
      await transaction.delete('d/s/a');
      await transaction.write('c', 'new c');
      await transaction.move('d', 'e');
    });
    renameSync(join(root, 'e/s'), join(root, 'e/r'));
    mkdirSync(join(root, 'e/s'));
    await refused(root, ['d/s/a']);
  });
});

test('undo takes back what lay in directories that were moved, deleted or replaced along, and those with it', async (t) => {
  const files = { 'd/s/a': 'a', 'd/s/z': 'z', 'g/b': 'b', 'g/c': 'c', 'h/i/x': 'x', 'h/i/y': 'y', l: 'l', m: 'm' };
  const root = rootWith(t, files);
  const before = snapshot(root);
  const operations = async (transaction: FileTransaction) => {
    await transaction.delete('d/s/a');
    await transaction.move('d/s/z', 'z');
    await transaction.move('d', 'e');
    await transaction.move('g/b', 'b');
    await transaction.delete('g');
    await transaction.move('h/i/x', 'x');
    await transaction.delete('h/i');
    await transaction.write('h/i', 'a file in its place');
    await transaction.move('h', 'j');
    // A name that two entries have, one after the other.
    await transaction.move('l', 'k');
    await transaction.move('m', 'l');
  };
  await committed(root, operations);
  await undo(root, 't');
  assert.deepEqual(snapshot(root), before);
  assert.deepEqual(leavings(root), []);
  await committed(root, operations);
  await undo(root, 't', { only: ['z', 'b', 'x'] });
  await undo(root, 't', { only: ['k'] });
  assert.deepEqual(snapshot(root), before);
});

test('a commit to several roots of which one has lost what was kept there is told of, and everything stays', async (t) => {
  const one = rootWith(t, { a: 'old a', b: 'b' });
  const two = rootWith(t, { z: 'z' });
  await cutShort(1, { one, two }, async (transaction) => {
    await transaction.write({ root: 'one', path: 'a' }, 'new a');
    await transaction.write({ root: 'two', path: 'c' }, 'c');
  });
  assert.equal(readFileSync(join(one, 'a'), 'utf8'), 'new a');
  rmSync(join(two, STATE), { recursive: true });
  for (const _ of [1, 2]) await assert.rejects(recover(one), { name: 'StateError', paths: [`${STATE}/t`] });
  assert.equal(readFileSync(join(one, STATE, 't/0'), 'utf8'), 'old a');
  // Who cannot commit for it takes its own leavings along.
  await using other = await FileTransaction.begin(one);
  await other.write('other', '');
  await assert.rejects(other.commit(), { name: 'StateError', paths: [`${STATE}/t`] });
  assert.deepEqual(leavings(one), ['t']);
  const { finished, kept } = await recover(one, { edits: 'keep' });
  assert.deepEqual([finished, kept], [['t'], ['c']]);
  assert.deepEqual(snapshot(one), { a: 'file 644 new a', b: 'file 644 b' });
  assert.deepEqual(snapshot(two), { z: 'file 644 z' });
  assert.deepEqual([leavings(one), leavings(two)], [[], []]);
});

describe('a copy of a root', () => {
  const copyOf = (root: string) => {
    run('cp', ['-a', root, `${root}.copy`]);
    return `${root}.copy`;
  };

  test('that was made in the middle of a commit is not taken for the root', async (t) => {
    const root = join(rootWith(t, { 'root/a': 'old' }), 'root');
    await cutShort(1, root, async (transaction) => {
      await transaction.write('a', 'new');
      await transaction.write('b', 'new');
    });
    const copy = copyOf(root);
    const before = snapshot(copy);
    await assert.rejects(recover(copy), { name: 'StateError', paths: [`${STATE}/t`] });
    assert.deepEqual(snapshot(copy), before);
    assert.deepEqual(leavings(copy), ['t']);
    assert.deepEqual((await recover(copy, { edits: 'keep' })).discarded, ['t']);
    assert.deepEqual(leavings(copy), []);
    assert.deepEqual(leavings(root), ['t'], 'the root keeps its own');
    assert.deepEqual((await recover(root)).finished, ['t']);
    assert.deepEqual(snapshot(root), { a: 'file 644 new', b: 'file 644 new' });
  });

  test('of several is not taken for it either, whether it has the log or not', async (t) => {
    const parent = rootWith(t, { 'one/a': 'old', 'two/a': 'old' });
    const [one, two] = [join(parent, 'one'), join(parent, 'two')];
    await cutShort(1, { one, two }, async (transaction) => {
      await transaction.write({ root: 'one', path: 'a' }, 'new');
      await transaction.write({ root: 'two', path: 'a' }, 'new');
    });
    const copies = [copyOf(one), copyOf(two)];
    for (const copy of copies) {
      await assert.rejects(recover(copy), { name: 'StateError' });
      assert.deepEqual(leavings(two), ['t']);
    }
    assert.deepEqual((await recover(two)).finished, ['t']);
    for (const copy of copies) {
      await recover(copy, { edits: 'keep' });
      assert.deepEqual(leavings(copy), []);
    }
    assert.deepEqual([snapshot(one), snapshot(two)], [{ a: 'file 644 new' }, { a: 'file 644 new' }]);
  });

  test('takes nothing back in the root, and forgets what it has brought along alone', async (t) => {
    const root = join(rootWith(t, { 'root/a': 'old' }), 'root');
    await committed(root, (transaction) => transaction.write('a', 'new'));
    const copy = copyOf(root);
    await assert.rejects(undo(copy, 't'), { name: 'StateError' });
    assert.deepEqual(await pruneTransactions(copy), ['t']);
    assert.deepEqual([leavings(copy), leavings(root)], [[], ['t']]);
    await undo(root, 't');
    assert.deepEqual(snapshot(root), { a: 'file 644 old' });
  });
});

test('a root that has been renamed can be undone, pruned and recovered where it is now', async (t) => {
  const parent = rootWith(t, { 'root/a': 'old' });
  const [root, renamed] = [join(parent, 'root'), join(parent, 'renamed')];
  const write = (transaction: FileTransaction) => transaction.write('a', 'new');
  await committed(root, write);
  renameSync(root, renamed);
  await undo(renamed, 't');
  assert.deepEqual(snapshot(renamed), { a: 'file 644 old' });
  await committed(renamed, write);
  renameSync(renamed, root);
  assert.deepEqual(await pruneTransactions(root), ['t']);
  await cutShort(0, root, write);
  renameSync(root, renamed);
  assert.deepEqual((await recover(renamed)).finished, ['t']);
});

test('transactions over several roots are forgotten also where one of the roots is gone', async (t) => {
  const [one, two] = [rootWith(t), rootWith(t)];
  await committed({ one, two }, (transaction) => transaction.write({ root: 'one', path: 'a' }, 'a'));
  rmSync(two, { recursive: true });
  assert.deepEqual(await pruneTransactions(one), ['t']);
  assert.deepEqual(await listTransactions(one), []);
  mkdirSync(two);
});

test('undo of what there is not leaves nothing', async (t) => {
  const root = rootWith(t);
  await assert.rejects(undo(root, 't'), { name: 'StateError' });
  assert.equal(existsSync(join(root, STATE)), false);
});

test('a transaction is not named as the lock that lies beside it', () => {
  assert.throws(() => new FileTransaction({ transactionId: 'lock' }), { name: 'ValidationError' });
});

test('a mode that somebody else sets before the commit is a conflict, and stays', async (t) => {
  const root = rootWith(t, { a: 'a', 'd/x': 'x' });
  chmodSync(join(root, 'a'), 0o644);
  await using transaction = await FileTransaction.begin(root);
  await transaction.chmod('a', 0o600);
  await transaction.chmod('d', 0o700);
  await transaction.move('d', 'e');
  chmodSync(join(root, 'a'), 0o640);
  chmodSync(join(root, 'd'), 0o750);
  await assert.rejects(transaction.commit(), (error) => {
    assert.ok(error instanceof ConflictError);
    assert.deepEqual([...error.paths].sort(), ['a', 'd']);
    return true;
  });
  assert.deepEqual(snapshot(root), { a: 'file 640 a', d: 'directory 750', 'd/x': snapshot(root)['d/x'] });
  assert.deepEqual(leavings(root), []);
});

test('an ordinary user may close directories and files to oneself: they are committed, recovered and taken back', async (t) => {
  if (!ordinaryUserCanRun(t)) return;
  const root = ordinaryDirectory(t);
  const at = (name: string) => JSON.stringify(pathToFileURL(join(repositoryRoot, 'dist/transaction', name)).href);
  const { status, stderr } = runAsOrdinaryUser(
    root,
    `
    import assert from 'node:assert/strict';
    import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
    import { FileTransaction, recover } from ${at('main.js')};
    import { Journal } from ${at('journal.js')};
    const { append } = Journal.prototype;
    const cutShort = async (refused, root, operations) => {
      mkdirSync(root);
      writeFileSync(root + '/a', 'a');
      mkdirSync(root + '/d/e', { recursive: true });
      writeFileSync(root + '/d/e/old', '');
      const transaction = await FileTransaction.begin(root);
      await operations(transaction);
      let left = refused.length;
      Journal.prototype.append = function (records) {
        const all = [...records];
        if (left > 0 && all.some(({ record }) => refused.includes(record)) && left--) throw new Error('killed');
        return append.call(this, all);
      };
      await assert.rejects(transaction.commit(), refused.length === 1 ? /killed/ : { name: 'StateError' });
      Journal.prototype.append = append;
    };
    const close = async (transaction) => {
      await transaction.write('d/e/x', 'x');
      await transaction.delete('d/e/old');
      await transaction.chmod('d/e', 0o000);
      await transaction.chmod('d', 0o000);
      await transaction.write('secret', 'new', { mode: 0o200 });
      await transaction.mkdir('n', { mode: 0o300 });
      await transaction.move('a', 'n/a');
    };
    const modes = (root) => ['d', 'n', 'secret'].map((name) => statSync(root + '/' + name).mode & 0o777);
    await cutShort(['done', 'back'], 'recovered', close);
    assert.deepEqual(modes('recovered'), [0o000, 0o300, 0o200]);
    assert.equal((await recover('recovered')).finished.length, 1);
    assert.deepEqual(modes('recovered'), [0o000, 0o300, 0o200]);
    for (const name of ['d', 'd/e', 'n']) chmodSync('recovered/' + name, 0o700);
    assert.deepEqual(readdirSync('recovered/d/e'), ['x']);
    assert.equal(readFileSync('recovered/n/a', 'utf8'), 'a');
    await cutShort(['done'], 'back', close);
    assert.deepEqual(readdirSync('back').sort(), ['.dirfd-transactions', 'a', 'd']);
    assert.deepEqual(readdirSync('back/d/e'), ['old']);
    assert.deepEqual(readdirSync('back/.dirfd-transactions'), ['lock']);`,
  );
  assert.equal(status, 0, stderr);
});

test('undo waits for one who reads the log at that moment', async (t) => {
  const root = rootWith(t);
  await committed(root, (transaction) => transaction.write('a', 'new'));
  await using held = await DirectoryFd.open(root);
  const log = await held.openFile(`${STATE}/t/log`);
  assert.ok(await log.tryLock({ shared: true }));
  setTimeout(() => void log.close(), 100);
  await undo(root, 't');
  assert.deepEqual(snapshot(root), {});
});

test('the name of the state directory is synced by whoever makes the lock, also where another process has made the directory', (t) => {
  if (!requireTool(t, 'strace')) return;
  const root = rootWith(t, files);
  mkdirSync(join(root, STATE), { mode: 0o700 });
  const trace = ['fsync', 'fdatasync', 'openat2', 'openat'];
  const { events } = strace(commandOf('commit', [root, 'keep']), { trace, env });
  const synced = events.findIndex(({ call, args }) => call === 'fsync' && args[0]?.endsWith(`${basename(root)}>`));
  const made = events.findIndex(({ call, args }) => call.startsWith('openat') && args.join().includes('O_CREAT'));
  assert.ok(synced >= 0 && synced < made, `${synced} < ${made}`);
});

test('before a failed commit says that it goes back, what it has done is on the disk', async (t) => {
  const root = rootWith(t, { a: 'a' });
  const calls: string[] = [];
  const { sync } = Applier.prototype;
  const { append } = Journal.prototype;
  Applier.prototype.sync = async function () {
    calls.push('sync');
    await sync.call(this);
  };
  Journal.prototype.append = async function (records) {
    const all = [...records];
    calls.push(all.at(-1)?.record ?? '');
    if (all.some(({ record }) => record === 'done')) throw new Error('no room');
    await append.call(this, all);
  };
  try {
    await assert.rejects(
      committed(root, (transaction) => transaction.write('a', 'new')),
      { message: 'no room' },
    );
  } finally {
    Applier.prototype.sync = sync;
    Journal.prototype.append = append;
  }
  assert.deepEqual(calls, ['commit', 'sync', 'done', 'sync', 'back', 'sync', 'gone']);
  assert.deepEqual(snapshot(root), { a: 'file 644 a' });
});
