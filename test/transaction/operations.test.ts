import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, test } from 'node:test';
import { DirectoryFd } from 'dirfd';
import { ContentError, FileTransaction, type TransactionProgress, ValidationError } from 'dirfd/transaction';
import { attempt, run } from '../fixtures/command.js';
import { requireTool } from '../fixtures/tools.js';
import { fill, leavings, rootWith, snapshot } from './snapshot.js';

describe('a transaction', () => {
  test('shows nothing before its commit, all of it afterwards, and leaves nothing behind', async (t) => {
    const root = rootWith(t, { a: 'old a', b: 'b', 'dir/x': 'x', 'gone/y': 'y', 'gone/z': 'z' });
    const before = snapshot(root);
    await using transaction = await FileTransaction.begin(root);
    await transaction.write('a', 'new a');
    await transaction.writeJson('new/deep/c.json', { a: 1 }, { parents: true });
    await transaction.writeYaml('new/d.yaml', { a: [1] });
    await transaction.move('b', 'dir/b');
    await transaction.move('dir', 'moved');
    await transaction.write('moved/w', Readable.from(['w', Buffer.from('w')]));
    await transaction.move('gone/y', 'new/y');
    await transaction.delete('gone');
    await transaction.copy('moved', 'copied');
    await transaction.symlink('a', 'link');
    await transaction.chmod('moved/x', 0o600);
    assert.deepEqual(snapshot(root), before);
    const report = await transaction.commit();
    assert.deepEqual(snapshot(root), {
      a: 'file 644 new a',
      copied: 'directory 755',
      'copied/b': 'file 644 b',
      'copied/w': 'file 644 ww',
      'copied/x': 'file 644 x',
      link: 'symlink a',
      moved: 'directory 755',
      'moved/b': 'file 644 b',
      'moved/w': 'file 644 ww',
      'moved/x': 'file 600 x',
      new: 'directory 755',
      'new/d.yaml': 'file 644 a:\n  - 1\n',
      'new/deep': 'directory 755',
      'new/deep/c.json': 'file 644 {\n  "a": 1\n}\n',
      'new/y': 'file 644 y',
    });
    assert.deepEqual(
      report.changes.map(({ action, path, from }) => [action, path, from].filter(Boolean).join(' ')).sort(),
      [
        'chmod moved/x',
        'create copied',
        'create link',
        'create moved/w',
        'create new',
        'delete gone',
        'move moved dir',
        'move moved/b b',
        'move new/y gone/y',
        'replace a',
      ],
    );
    assert.deepEqual(leavings(root), []);
  });

  test('takes operations as a sequence: write, move and delete of one path end as nothing', async (t) => {
    const root = rootWith(t, { a: 'a', b: 'b' });
    const before = snapshot(root);
    await using transaction = await FileTransaction.begin(root);
    await transaction.write('new', '1');
    await transaction.move('new', 'newer');
    await transaction.delete('newer');
    await transaction.move('a', 'elsewhere');
    await transaction.move('elsewhere', 'a');
    assert.deepEqual((await transaction.commit()).changes, []);
    assert.deepEqual(snapshot(root), before);
  });

  test('swaps two names, and turns a tree inside out', async (t) => {
    const root = rootWith(t, { a: 'a', b: 'b', 'p/q/r': 'r' });
    await using transaction = await FileTransaction.begin(root);
    await transaction.move('a', 't');
    await transaction.move('b', 'a');
    await transaction.move('t', 'b');
    await transaction.move('p/q', 'q');
    await transaction.move('p', 'q/p');
    await transaction.commit();
    assert.deepEqual(snapshot(root), {
      a: 'file 644 b',
      b: 'file 644 a',
      q: 'directory 755',
      'q/p': 'directory 755',
      'q/r': 'file 644 r',
    });
  });

  test('replaces a file in one step, and keeps its mode, attributes and ACL', async (t) => {
    if (!requireTool(t, 'setfattr') || !requireTool(t, 'setfacl')) return;
    const root = rootWith(t, { a: 'old' });
    const path = join(root, 'a');
    chmodSync(path, 0o4750);
    const hasAcl = attempt('setfacl', ['-m', 'u:65534:r', path]).status === 0;
    const hasXattr = attempt('setfattr', ['-n', 'user.colour', '-v', 'blue', path]).status === 0;
    const told = () => [
      statSync(path).mode,
      hasAcl && run('getfacl', ['-c', '--absolute-names', path]),
      hasXattr && run('getfattr', ['--only-values', '-n', 'user.colour', path]),
    ];
    const before = told();
    await using transaction = await FileTransaction.begin(root);
    await transaction.write('a', 'new');
    await transaction.commit();
    assert.equal(readFileSync(path, 'utf8'), 'new');
    assert.deepEqual(told(), before);
  });

  test('breaks hard links: the other names keep the old content', async (t) => {
    const root = rootWith(t, { a: 'old' });
    linkSync(join(root, 'a'), join(root, 'other'));
    await using transaction = await FileTransaction.begin(root);
    await transaction.write('a', 'new');
    await transaction.commit();
    assert.equal(readFileSync(join(root, 'other'), 'utf8'), 'old');
  });

  test('copies what the view holds, moved, changed and new entries included', async (t) => {
    const root = rootWith(t, { 'd/a': 'a', 'd/b': 'b', c: 'c' });
    await using transaction = await FileTransaction.begin(root);
    await transaction.write('d/a', 'changed');
    await transaction.move('c', 'd/c');
    await transaction.delete('d/b');
    await transaction.chmod('d', 0o500);
    await transaction.copy('d', 'e');
    await transaction.write('e/after', 'x');
    await transaction.commit();
    assert.deepEqual(snapshot(root), {
      d: 'directory 500',
      'd/a': 'file 644 changed',
      'd/c': 'file 644 c',
      e: 'directory 500',
      'e/a': 'file 644 changed',
      'e/after': 'file 644 x',
      'e/c': 'file 644 c',
    });
    chmodSync(join(root, 'd'), 0o700);
    chmodSync(join(root, 'e'), 0o700);
  });

  test('works with names that are not UTF-8, and with a root held by the caller', async (t) => {
    const root = rootWith(t);
    await using directory = await DirectoryFd.open(root);
    await using transaction = await FileTransaction.begin(directory);
    const name = Buffer.from([0x66, 0xff, 0x0a]);
    await transaction.write(name, 'x');
    await transaction.move(name, Buffer.concat([name, name]));
    const { changes } = await transaction.commit();
    assert.deepEqual(readdirSync(root, 'buffer').at(-1), Buffer.concat([name, name]));
    assert.deepEqual(changes[0]?.pathBytes, Buffer.concat([name, name]));
    assert.equal(directory.closed, false);
  });

  test('spans several roots: a move between them is a copy and a delete', async (t) => {
    const [one, two] = [rootWith(t, { a: 'a', 'd/x': 'x' }), rootWith(t, { b: 'b' })];
    await using transaction = await FileTransaction.begin({ one, two });
    await transaction.move({ root: 'one', path: 'a' }, { root: 'two', path: 'a' });
    await transaction.move({ root: 'one', path: 'd' }, { root: 'two', path: 'd' });
    await transaction.write({ root: 'one', path: 'n' }, 'n');
    await assert.rejects(
      transaction.preview().then(() => transaction.write('n', '')),
      ValidationError,
    );
    await assert.rejects(transaction.commit(), ValidationError);
    await using again = await FileTransaction.begin({ one, two });
    await again.move({ root: 'one', path: 'a' }, { root: 'two', path: 'a' });
    await again.move({ root: 'one', path: 'd' }, { root: 'two', path: 'd' });
    const { changes } = await again.commit();
    assert.ok(changes.every((change) => change.root === 'one' || change.root === 'two'));
    assert.deepEqual(snapshot(one), {});
    assert.deepEqual(Object.keys(snapshot(two)), ['a', 'b', 'd', 'd/x']);
    assert.deepEqual([...leavings(one), ...leavings(two)], []);
  });

  test('reads what it has written, and what is there', async (t) => {
    const root = rootWith(t, { a: 'old' });
    await using transaction = await FileTransaction.begin(root);
    assert.equal(await transaction.readText('a'), 'old');
    await transaction.write('a', 'new');
    await transaction.move('a', 'b');
    assert.equal(await transaction.readText('b'), 'new');
    await assert.rejects(transaction.readText('a'), ValidationError);
  });

  test('damages no text: what an encoding cannot express, and bytes that are not of it, are refused', async (t) => {
    const root = rootWith(t);
    const bytes = Buffer.from([0x61, 0xff]);
    writeFileSync(join(root, 'a'), bytes);
    await using transaction = await FileTransaction.begin(root);
    await assert.rejects(transaction.readText('a'), /not utf-8: byte 1 .*'a'/);
    await transaction.write('b', await transaction.readText('a', 'latin1'), { encoding: 'latin1' });
    await transaction.commit();
    assert.deepEqual(readFileSync(join(root, 'b')), bytes);
    const lone = '\ud800';
    for (const [content, encoding] of [['✓', 'latin1'], [lone], [Readable.from(['a', lone])]] as const) {
      await using refused = await FileTransaction.begin(root);
      await assert.rejects(refused.write('c', content, { encoding }), ContentError);
    }
  });

  test('tells how far it is', async (t) => {
    const root = rootWith(t);
    const told: TransactionProgress[] = [];
    await using transaction = await FileTransaction.begin(root, { onProgress: (progress) => told.push(progress) });
    await transaction.write('a', 'x'.repeat(1000));
    await transaction.commit();
    assert.deepEqual([...new Set(told.map(({ phase }) => phase))], ['stage', 'sync', 'lock', 'apply']);
    assert.deepEqual(told.at(-1), { phase: 'apply', done: 1, total: 1, bytes: 1000 });
  });

  test('has a form that is not awaited: what fails makes the commit fail', async (t) => {
    const root = rootWith(t, { b: 'b', c: 'c', d: 'd' });
    const transaction = new FileTransaction({ root, transactionId: 'named', showProgress: true });
    transaction
      .addWrite('a.json', { x: 1 }, 'json', { type: 'object' })
      .addWrite('a.yaml', { x: 1 }, 'yaml')
      .addWrite('a', 'text')
      .addCopy('b', 'b2')
      .addMove('c', 'c2')
      .addDelete('d');
    assert.equal((await transaction.commit()).id, 'named');
    assert.deepEqual(Object.keys(snapshot(root)), ['a', 'a.json', 'a.yaml', 'b', 'b2', 'c2']);
    const failing = new FileTransaction({ root });
    failing.addWrite('x', 'x').addDelete('no such file').addWrite('y', 'y');
    await assert.rejects(failing.commit(), { name: 'ValidationError', path: 'no such file' });
    assert.deepEqual(Object.keys(snapshot(root)), ['a', 'a.json', 'a.yaml', 'b', 'b2', 'c2']);
    assert.deepEqual(leavings(root), []);
  });

  test('stages and syncs hundreds of files at once', async (t) => {
    const root = rootWith(t);
    await using transaction = await FileTransaction.begin(root);
    for (let n = 0; n < 300; n++) transaction.addWrite(`f${n}`, String(n));
    assert.equal((await transaction.commit()).changes.length, 300);
    assert.equal(readdirSync(root).length, 301);
    assert.equal(readFileSync(join(root, 'f299'), 'utf8'), '299');
  });
});

describe('refused before anything is changed:', () => {
  const files = { a: 'a', b: 'b', 'd/x': 'x', 'e/': '' };
  const cases: Readonly<Record<string, (transaction: FileTransaction) => Promise<unknown>>> = {
    'a parent that is missing': (tx) => tx.write('no/such', ''),
    'a parent that is a file': (tx) => tx.write('a/b', ''),
    'a parent that the transaction has deleted': async (tx) => {
      await tx.delete('d');
      await tx.write('d/y', '');
    },
    'a write over a directory': (tx) => tx.write('d', ''),
    'a write over a symlink': (tx) => tx.write('link', ''),
    'a write through a symlink': (tx) => tx.write('outward/x', ''),
    'a write over a file with createOnly': (tx) => tx.write('a', '', { createOnly: true }),
    'a directory that is there': (tx) => tx.mkdir('d'),
    'a symlink over a file': (tx) => tx.symlink('x', 'a'),
    'a delete of nothing': (tx) => tx.delete('none'),
    'a move of nothing': (tx) => tx.move('none', 'c'),
    'a move onto a file': (tx) => tx.move('a', 'b'),
    'two moves to one name': async (tx) => {
      await tx.move('a', 'c');
      await tx.move('b', 'c');
    },
    'a move of a directory into itself': (tx) => tx.move('d', 'd/y'),
    'a move of a directory over a file': (tx) => tx.move('d', 'a', { replace: true }),
    'a copy onto itself': (tx) => tx.copy('a', 'a', { replace: true }),
    'a mode for a symlink': (tx) => tx.chmod('link', 0o600),
    'a path that leads out': (tx) => tx.write('../x', ''),
    'an absolute path': (tx) => tx.write('/tmp/x', ''),
    'the root itself': (tx) => tx.delete('.'),
    "the transactions' own directory": (tx) => tx.delete('.dirfd-transactions/lock'),
    'a value that violates its schema': (tx) =>
      tx.writeJson('j', { n: 'x' }, { schema: { properties: { n: { type: 'number' } } } }),
    'a value without a JSON form': (tx) => tx.writeJson('j', undefined),
  };
  for (const [name, add] of Object.entries(cases)) {
    test(name, async (t) => {
      const root = rootWith(t, files);
      symlinkSync('a', join(root, 'link'));
      symlinkSync('/', join(root, 'outward'));
      const before = snapshot(root);
      await using transaction = await FileTransaction.begin(root);
      await transaction.write('first', '1');
      await assert.rejects(add(transaction), ValidationError);
      await assert.rejects(transaction.commit(), ValidationError);
      assert.deepEqual(snapshot(root), before);
      assert.deepEqual(leavings(root), []);
    });
  }

  test('and a complaint about content names the JSON pointer', async (t) => {
    await using transaction = await FileTransaction.begin(rootWith(t));
    const schema = { properties: { list: { items: { type: 'number' } } } };
    await assert.rejects(transaction.writeJson('j', { list: [1, 'x'] }, { schema }), (error) => {
      assert.ok(error instanceof ContentError);
      assert.equal(error.pointer, '/list/1');
      return true;
    });
  });
});

test('operations that are not awaited mean what they would mean one after the other', async (t) => {
  const root = rootWith(t, { old: 'old', 'd/x': 'x' });
  await using transaction = await FileTransaction.begin(root);
  const pending: Promise<unknown>[] = [];
  for (let number = 0; number < 200; number++) pending.push(transaction.write(`f${number}`, `${number}`));
  pending.push(transaction.mkdir('n/m', { recursive: true }));
  for (let number = 0; number < 50; number++) pending.push(transaction.write(`n/m/f${number}`, `${number}`));
  pending.push(transaction.write('old', 'first'), transaction.write('old', 'second'));
  const read = transaction.readText('old');
  pending.push(
    transaction.move('n/m', 'moved'),
    transaction.write('n/m', 'a file now'),
    transaction.chmod('f7', 0o600),
  );
  pending.push(
    transaction.copy('moved', 'd/copy'),
    transaction.delete('f8'),
    transaction.write('f9', Readable.from(['9', '9'])),
  );
  await Promise.all(pending);
  assert.equal(await read, 'second');
  await transaction.commit();
  const now = snapshot(root);
  assert.equal(Object.keys(now).length, 199 + 1 + 2 + 51 + 3 + 51 - 1);
  for (const [path, content] of Object.entries(now)) {
    const [, number] = /f(\d+)$/.exec(path) ?? [];
    if (number !== undefined && number !== '9') assert.equal(content, `file ${path === 'f7' ? 600 : 644} ${number}`);
  }
  assert.deepEqual([now.old, now['n/m'], now.f9], ['file 644 second', 'file 644 a file now', 'file 644 99']);
});

test('a callback that throws between the journal and the first change takes all of it back', async (t) => {
  const root = rootWith(t, { a: 'a' });
  const before = snapshot(root);
  const onProgress = ({ phase }: TransactionProgress) => {
    if (phase === 'apply') throw new Error('of the callback');
  };
  await using transaction = await FileTransaction.begin(root, { onProgress });
  await transaction.write('a', 'new');
  await assert.rejects(transaction.commit(), /of the callback/);
  assert.deepEqual([snapshot(root), leavings(root)], [before, []]);
});

describe('given up', () => {
  test('by dispose, an abort, or rollback(), it leaves nothing, and cannot be used any more', async (t) => {
    const root = rootWith(t, { a: 'a' });
    const before = snapshot(root);
    const controller = new AbortController();
    {
      await using transaction = await FileTransaction.begin(root);
      await transaction.write('a', 'x');
    }
    const aborted = await FileTransaction.begin(root, { signal: controller.signal });
    await aborted.write('a', 'x');
    controller.abort(new Error('enough'));
    await assert.rejects(aborted.write('b', 'x'), /enough/);
    await assert.rejects(aborted.commit(), /enough/);
    await aborted.rollback();
    const rolled = await FileTransaction.begin(root);
    await rolled.write('a', 'x');
    await rolled.rollback();
    assert.equal(rolled.state, 'rolled back');
    await assert.rejects(rolled.write('a', 'x'), { code: 'ERR_DIRFD_CLOSED' });
    await assert.rejects(rolled.commit(), { code: 'ERR_DIRFD_CLOSED' });
    assert.deepEqual(snapshot(root), before);
    assert.deepEqual(leavings(root), []);
  });

  test('at any point of the commit, by the signal, all is as it was', async (t) => {
    for (let at = 1, committed = false; !committed; at++) {
      const root = rootWith(t, { a: 'a', 'd/x': 'x', b: 'b' });
      const before = snapshot(root);
      const controller = new AbortController();
      await using transaction = await FileTransaction.begin(root, { signal: controller.signal });
      await transaction.move('d/x', 'x');
      await transaction.delete('d');
      await transaction.write('a', 'new');
      await transaction.write('n', 'new');
      abortWhenAsked(controller, at);
      const failure = await transaction.commit().then(
        () => undefined,
        (error: Error) => error,
      );
      committed = failure === undefined;
      assert.match(failure?.message ?? 'enough', /enough/);
      const after = { a: 'file 644 new', b: 'file 644 b', n: 'file 644 new', x: 'file 644 x' };
      assert.deepEqual(snapshot(root), committed ? after : before, `asked ${at} times`);
      assert.deepEqual(leavings(root), []);
      assert.ok(!committed || at > 6, 'the signal is asked before each step');
    }
  });
});

/** The signal aborts when it is asked for the nth time. */
function abortWhenAsked(controller: AbortController, nth: number): void {
  const { signal } = controller;
  let asked = 0;
  signal.throwIfAborted = () => {
    if (++asked === nth) controller.abort(new Error('enough'));
    AbortSignal.prototype.throwIfAborted.call(signal);
  };
}

describe('what others change meanwhile', () => {
  const changes: Readonly<Record<string, (root: string) => void>> = {
    'a file that is to be replaced': (root) => writeFileSync(join(root, 'a'), 'theirs'),
    'a file that is to be replaced, in its place': (root) => renameSync(join(root, 'other'), join(root, 'a')),
    'a file in a tree that is to be deleted': (root) => writeFileSync(join(root, 'd/x'), 'theirs'),
    'a new file in a tree that is to be deleted': (root) => writeFileSync(join(root, 'd/y'), 'theirs'),
    'a name that is to be new': (root) => writeFileSync(join(root, 'n'), 'theirs'),
    'a file that was read': (root) => writeFileSync(join(root, 'r'), 'theirs'),
    'a directory on the way': (root) => {
      renameSync(join(root, 'p'), join(root, 'p2'));
      mkdirSync(join(root, 'p'));
    },
  };
  for (const [name, change] of Object.entries(changes)) {
    test(`stands, and the commit fails: ${name}`, async (t) => {
      const root = rootWith(t, { a: 'a', other: 'o', 'd/x': 'x', r: 'r', 'p/q': 'q' });
      await using transaction = await FileTransaction.begin(root);
      await transaction.read('r');
      await transaction.write('a', 'mine');
      await transaction.delete('d');
      await transaction.write('n', 'mine');
      await transaction.write('p/new', 'mine');
      change(root);
      const theirs = snapshot(root);
      await assert.rejects(transaction.commit(), { name: 'ConflictError', code: 'ERR_DIRFD_CONFLICT' });
      assert.deepEqual(snapshot(root), theirs);
      assert.deepEqual(leavings(root), []);
    });
  }

  test('elsewhere is no conflict', async (t) => {
    const root = rootWith(t, { a: 'a', 'd/x': 'x' });
    await using transaction = await FileTransaction.begin(root);
    await transaction.write('d/y', 'mine');
    fill(root, { a: 'theirs', 'd/z': 'theirs' });
    await transaction.commit();
    assert.equal(snapshot(root)['d/y'], 'file 644 mine');
    assert.ok(lstatSync(join(root, 'd/z')).isFile());
  });
});
