// Transactions over several roots of which one is gone: the others are not bricked by it, and nothing is lost there.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { FileTransaction, listTransactions, pending, recover, withReadLock } from 'dirfd/transaction';
import { repositoryRoot } from '../fixtures/repository.js';
import { cutShort } from './cut-short.js';
import { leavings, rootWith, STATE, snapshot } from './snapshot.js';

describe('where a root is gone', () => {
  /** A process that is killed after these operations on the roots one and two. */
  const killed = (parent: string, operations: string, begin = "{ one: 'one', two: 'two' }") => {
    const script = `
      import { DirectoryFd } from ${JSON.stringify(new URL('dist/main.js', `file://${repositoryRoot}/`).href)};
      import { FileTransaction } from ${JSON.stringify(new URL('dist/transaction/main.js', `file://${repositoryRoot}/`).href)};
      const roots = ${begin};
      process.chdir('/');
      const transaction = await FileTransaction.begin(roots, { transactionId: 't' });
      for (const root of ['one', 'two']) await transaction.write({ root, path: 'a' }, 'new');
      ${operations}
      process.kill(process.pid, 'SIGKILL');`;
    const { signal } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { cwd: parent });
    assert.equal(signal, 'SIGKILL');
  };
  const absolute = (parent: string) => JSON.stringify({ one: join(parent, 'one'), two: join(parent, 'two') });

  test('what was only staged is removed from the other one, whichever has the log', async (t) => {
    for (const [gone, left] of [
      ['one', 'two'],
      ['two', 'one'],
    ] as const) {
      const parent = rootWith(t, { 'one/a': 'old', 'two/a': 'old' });
      killed(parent, '', absolute(parent));
      rmSync(join(parent, gone), { recursive: true });
      const root = join(parent, left);
      assert.deepEqual(
        (await listTransactions(root)).map(({ state }) => state),
        ['staged'],
      );
      assert.equal(await withReadLock(root, () => 'read'), 'read');
      assert.deepEqual((await recover(root)).discarded, ['t']);
      assert.deepEqual([snapshot(root), leavings(root)], [{ a: 'file 644 old' }, []]);
    }
  });

  test('what was committed, or may have been, is told and left alone, and keeps nobody from working', async (t) => {
    for (const [gone, left, state] of [
      ['one', 'two', 'unreadable'],
      ['two', 'one', 'committed'],
    ] as const) {
      const parent = rootWith(t, { 'one/a': 'old', 'two/a': 'old' });
      const roots = { one: join(parent, 'one'), two: join(parent, 'two') };
      await cutShort(0, roots, async (transaction) => {
        for (const root of ['one', 'two']) await transaction.write({ root, path: 'a' }, 'new');
      });
      rmSync(roots[gone], { recursive: true });
      const root = roots[left];
      const [status] = await pending(root);
      assert.equal(status?.state, state);
      assert.equal(status?.obstacle?.startsWith(`'${roots.two}' is gone`), state === 'committed' || undefined);
      assert.equal(await withReadLock(root, () => 'read'), 'read');
      await using other = await FileTransaction.begin(root);
      await other.write('other', '');
      await other.commit();
      await assert.rejects(recover(root), { name: 'StateError', paths: [`${STATE}/t`] });
      assert.deepEqual(leavings(root), ['t']);
      const { finished, discarded } = await recover(root, { edits: 'keep' });
      assert.deepEqual([finished, discarded], left === 'one' ? [['t'], []] : [[], ['t']]);
      // With the log, what was promised for the root that is left is done.
      assert.equal(snapshot(root).a, left === 'one' ? 'file 644 new' : 'file 644 old');
      assert.deepEqual(leavings(root), []);
    }
  });

  test('given up, it is finished in the others, wherever it stood, and no file is lost there', async (t) => {
    for (let taken = 0; taken <= 7; taken++) {
      const parent = rootWith(t, { 'one/a': 'a1', 'two/a': 'a2', 'three/a': 'a3', 'three/b': 'b3' });
      const [one, two, three] = ['one', 'two', 'three'].map((name) => join(parent, name)) as [string, string, string];
      await cutShort(taken, { one, two, three }, async (transaction) => {
        for (const root of ['one', 'two', 'three']) await transaction.write({ root, path: 'a' }, 'new');
        await transaction.move({ root: 'three', path: 'b' }, { root: 'three', path: 'c' });
        await transaction.delete({ root: 'three', path: 'a' });
      });
      rmSync(two, { recursive: true });
      const { finished, kept } = await recover(three, { edits: 'keep' });
      assert.deepEqual([finished, kept], [['t'], ['a']]);
      assert.deepEqual([snapshot(one), snapshot(three)], [{ a: 'file 644 new' }, { c: 'file 644 b3' }]);
      assert.deepEqual([leavings(one), leavings(three)], [[], []]);
    }
  });

  test('nothing is given up for a root that only cannot be opened', async (t) => {
    const parent = rootWith(t, { 'one/a': 'old', 'two/a': 'old' });
    const roots = { one: join(parent, 'one'), two: join(parent, 'two') };
    await cutShort(0, roots, (transaction) => transaction.write({ root: 'two', path: 'a' }, 'new'));
    chmodSync(join(roots.two, STATE), 0o777);
    await assert.rejects(recover(roots.one, { edits: 'keep' }), { name: 'StateError' });
    chmodSync(join(roots.two, STATE), 0o700);
    assert.deepEqual((await recover(roots.one)).finished, ['t']);
    assert.deepEqual(snapshot(roots.two), { a: 'file 644 new' });
  });

  test('as it was moved, a transaction whose process lives is left alone', async (t) => {
    const parent = rootWith(t, { 'one/a': 'old', 'two/a': 'old' });
    const roots = { one: join(parent, 'one'), two: join(parent, 'two') };
    await using living = await FileTransaction.begin(roots, { transactionId: 't' });
    await living.write({ root: 'two', path: 'a' }, 'new');
    renameSync(roots.one, join(parent, 'moved'));
    assert.deepEqual((await recover(roots.two)).active, ['t']);
    assert.deepEqual(
      (await listTransactions(roots.two)).map(({ state }) => state),
      ['active'],
    );
    await living.commit();
    assert.equal(readFileSync(join(roots.two, 'a'), 'utf8'), 'new');
  });

  test('nothing is taken for gone that was opened by a relative path, in another working directory', async (t) => {
    const parent = rootWith(t, { 'one/a': 'old', 'two/a': 'old' });
    killed(parent, '', "{ one: await DirectoryFd.open('one'), two: await DirectoryFd.open('two') }");
    const log = readFileSync(join(parent, 'one', STATE, 't/log'), 'utf8');
    for (const name of ['one', 'two']) assert.ok(log.includes(JSON.stringify(join(parent, name))), log);
    assert.deepEqual((await recover(join(parent, 'two'))).discarded, ['t']);
    assert.deepEqual([leavings(join(parent, 'one')), leavings(join(parent, 'two'))], [[], []]);
  });
});
