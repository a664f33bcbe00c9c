import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { attempt } from '../fixtures/command.js';
import { need, requireTool } from '../fixtures/tools.js';
import { committed, cutShort, undiscarded } from '../transaction/cut-short.js';
import { leavings, rootWith, STATE, snapshot } from '../transaction/snapshot.js';
import { command, dirfd, dirfdWithoutXattrs, jsonLines } from './run-command.js';

const plan = {
  operations: [
    { write: { path: 'a', text: 'new' } },
    { move: { from: 'b', to: 'c' } },
    { delete: { path: 'd' } },
    { mkdir: { path: 'e' } },
  ],
};
const files = { a: 'old', b: 'b', 'd/x': 'x' };
const input = JSON.stringify(plan);

describe('dirfd transaction', () => {
  test('apply does what a plan says, and tells it', (t) => {
    const root = rootWith(t, files);
    const ran = dirfd(['transaction', 'apply', '--root', root, '-'], { input });
    assert.equal(ran.status, 0, ran.stderr);
    assert.equal(ran.stdout, '- delete  d\n~ replace a\n> move    c (from b)\n+ create  e\n');
    assert.equal(ran.stderr, 'made 4 changes\n');
    assert.deepEqual(Object.keys(snapshot(root)), ['a', 'c', 'e']);
    assert.deepEqual(leavings(root), []);
  });

  test('apply --dry-run changes nothing, and --json prints objects', (t) => {
    const root = rootWith(t, files);
    const before = snapshot(root);
    const ran = dirfd(['transaction', 'apply', '--root', root, '-n', '--json', '-'], { input });
    assert.equal(ran.status, 0, ran.stderr);
    assert.deepEqual(
      jsonLines(ran.stdout).map(({ action, path }) => `${action} ${path}`),
      ['delete d', 'replace a', 'move c', 'create e'],
    );
    assert.deepEqual(snapshot(root), before);
    assert.deepEqual(leavings(root), []);
  });

  test('apply works over several roots that have names', (t) => {
    const [one, two] = [rootWith(t, { a: 'a' }), rootWith(t)];
    const move = { from: { root: 'one', path: 'a' }, to: { root: 'two', path: 'b' } };
    writeFileSync(join(one, 'plan.json'), JSON.stringify({ operations: [{ move }] }));
    const roots = ['--root', `one=${one}`, '--root', `two=${two}`];
    const ran = dirfd(['transaction', 'apply', ...roots, join(one, 'plan.json')]);
    assert.equal(ran.status, 0, ran.stderr);
    assert.equal(readFileSync(join(two, 'b'), 'utf8'), 'a');
  });

  test('apply takes no two roots of one name', (t) => {
    const ran = dirfd(['transaction', 'apply', `--root=x=${rootWith(t)}`, `--root=x=${rootWith(t)}`, '-'], { input });
    assert.equal(ran.status, 2, ran.stderr);
    assert.match(ran.stderr, /two roots are called 'x'/);
  });

  test('a plan with mistakes is refused, and each is named by its JSON pointer', (t) => {
    const root = rootWith(t, files);
    for (const [text, message] of [
      ['{"operations":[{"write":{"path":"a"}}]}', /'\/operations\/0\/write'/],
      ['{"operations":[{"mkdir":{"path":"x"}},{"erase":{"path":"a"}}]}', /'\/operations\/1'.*'erase'/],
      ['operations: 1', /'\/operations' must be array/],
      ['{', /neither JSON nor YAML/],
    ] as const) {
      const ran = dirfd(['transaction', 'apply', '--root', root, '-'], { input: text });
      assert.equal(ran.status, 1);
      assert.match(ran.stderr, message);
    }
    const ran = dirfd(['transaction', 'apply', '--root', root, '-'], {
      input: '{"operations":[{"write":{"path":"a","text":""}},{"delete":{"path":"none"}}]}',
    });
    assert.equal(ran.status, 1);
    assert.match(ran.stderr, /there is no such entry, delete 'none'/);
    assert.equal(readFileSync(join(root, 'a'), 'utf8'), 'old');
  });

  test('list, undo and prune what was applied with --keep-undo', (t) => {
    const root = rootWith(t, files);
    const before = snapshot(root);
    const apply = (id: string) =>
      dirfd(['transaction', 'apply', '--root', root, '--keep-undo', '--id', id, '-q', '-'], { input });
    assert.equal(apply('one').status, 0);
    const listed = dirfd(['transaction', 'list', '--json', root]);
    assert.deepEqual(
      jsonLines(listed.stdout).map(({ id, state }) => `${id} ${state}`),
      ['one done'],
    );
    assert.match(dirfd(['transaction', 'list', root]).stdout, /^one {2}done .* 4 changes\n$/);
    const again = apply('one');
    assert.deepEqual([again.status, snapshot(root).c], [1, 'file 644 b']);
    assert.match(again.stderr, /: a transaction of this id is kept for undo: .*, begin 'one' in /);
    const undone = dirfd(['transaction', 'undo', root, 'one']);
    assert.equal(undone.status, 0, undone.stderr);
    assert.equal(undone.stdout, '+ restore d\n~ restore a\n> move    b (from c)\n- delete  e\n');
    assert.deepEqual(snapshot(root), before);
    assert.equal(dirfd(['transaction', 'undo', root, 'one']).status, 1);
    assert.equal(apply('two').status, 0);
    writeFileSync(join(root, 'a'), 'edited since');
    const usage = dirfd(['transaction', 'prune', root, '--count=x']).stderr;
    assert.match(usage, /^dirfd transaction prune: .*\nTry 'dirfd transaction prune --help'\.\n$/);
    const refused = dirfd(['transaction', 'undo', root, 'two']);
    assert.equal(refused.status, 1);
    assert.match(refused.stderr, /ERR_DIRFD_CONFLICT: changed since; nothing was taken back, undo 'a'/);
    const part = dirfd(['transaction', 'undo', root, 'two', '--only', 'c']);
    assert.equal(part.stdout, '> move    b (from c)\n', part.stderr);
    assert.deepEqual(Object.keys(snapshot(root)), ['a', 'b', 'e']);
    assert.equal(dirfd(['transaction', 'prune', root]).stdout, 'two\n');
    assert.match(dirfd(['transaction', 'list', root]).stderr, /^nothing is kept for undo/);
    assert.deepEqual(leavings(root), []);
  });
});

test('apply does not say that nothing was changed where a failure could not be taken back, interrupted or not', (t) => {
  if (!requireTool(t, 'strace')) return;
  const root = rootWith(t, { a: 'a', b: 'b' });
  const operations = ['a', 'b'].map((path) => ({ write: { path, text: 'new' } }));
  // The second record that is synced says that the steps are taken back.
  const inject = ['-e', 'inject=renameat2:error=EIO:when=2+', '-e', 'inject=fdatasync:signal=INT:when=2'];
  const options = ['-f', '-qq', '-o', '/dev/null', '-e', 'trace=renameat2,fdatasync', ...inject];
  const words = [process.execPath, command, 'transaction', 'apply', '--root', root, '-'];
  const ran = attempt('strace', [...options, ...words], {
    input: JSON.stringify({ operations }),
    env: { ...process.env, UV_THREADPOOL_SIZE: '1', NODE_OPTIONS: '' },
  });
  assert.notEqual(ran.status, 0);
  // On a busy machine the command may have been ended before it could tell.
  assert.match(ran.stderr, /^$|could be neither finished nor taken back/);
  assert.equal(dirfd(['recover', root]).status, 0);
  assert.deepEqual(snapshot(root), { a: 'file 644 a', b: 'file 644 b' });
});

describe('dirfd recover', () => {
  test('says so where there is nothing to recover', (t) => {
    const root = rootWith(t);
    const ran = dirfd(['recover', root]);
    assert.equal(ran.status, 0);
    assert.equal(ran.stderr, 'nothing to recover\n');
    const dry = dirfd(['recover', '-n', root]);
    assert.deepEqual([dry.status, dry.stdout, dry.stderr], [0, '', 'nothing to recover\n']);
    assert.equal(dirfd(['recover', join(root, 'none')]).status, 1);
  });

  test('--dry-run tells what would become of what, and leaves it; the id is not free until then', (t) => {
    if (!requireTool(t, 'strace')) return;
    const root = rootWith(t, files);
    const before = snapshot(root);
    const options = [
      '-f',
      '-qq',
      '-o',
      '/dev/null',
      '-e',
      'trace=fdatasync',
      '-e',
      'inject=fdatasync:signal=KILL:when=1',
    ];
    const words = [process.execPath, command, 'transaction', 'apply', '--root', root, '--id', 'cut', '-'];
    const env = { ...process.env, UV_THREADPOOL_SIZE: '1', NODE_OPTIONS: '' };
    attempt('strace', [...options, ...words], { input, env });
    const left = leavings(root);
    const dry = dirfd(['recover', '-n', root]);
    assert.equal(dry.stdout, 'cut  committed   4 changes\n', dry.stderr);
    assert.equal(dry.stderr, '1 transaction to be finished\n');
    assert.deepEqual(jsonLines(dirfd(['recover', '-n', '--json', '-q', root]).stdout)[0]?.changes, 4);
    assert.deepEqual([snapshot(root), leavings(root)], [before, left]);
    assert.match(
      dirfd(['transaction', 'apply', '--root', root, '--id', 'cut', '-'], { input }).stderr,
      /a crash has left a transaction of this id: recover first/,
    );
    assert.equal(dirfd(['recover', root]).stderr, '1 transaction finished\n');
    assert.deepEqual(Object.keys(snapshot(root)), ['a', 'c', 'e']);
    assert.deepEqual(leavings(root), []);
  });
});

test('recover --json also tells what became of the rest where something is left alone', async (t) => {
  const root = rootWith(t, { a: 'old' });
  await cutShort(0, root, (transaction) => transaction.write('a', 'new'));
  writeFileSync(join(root, 'a'), 'edited');
  mkdirSync(join(root, STATE, 'uncommitted'));
  const ran = dirfd(['recover', '--json', root]);
  assert.equal(ran.status, 1);
  const [told, ...others] = jsonLines(ran.stdout);
  assert.deepEqual([others, told?.paths, told?.discarded], [[], ['a'], ['uncommitted']]);
  assert.deepEqual([told?.code, ran.stderr], ['ERR_DIRFD_RECOVERY', `dirfd recover: ${told?.error}\n`]);
});

test('list and recover --dry-run tell what is left over from what is kept', async (t) => {
  const root = rootWith(t);
  await undiscarded(() => committed(root, (transaction) => transaction.write('a', 'new'), false));
  assert.match(dirfd(['transaction', 'list', root]).stdout, /^t {2}leftover .* 1 change\n$/);
  const dry = dirfd(['recover', '-n', root]);
  assert.deepEqual([dry.stdout, dry.stderr], ['t  done        1 change\n', '1 transaction to be discarded\n']);
});

test('apply tells what a copied tree has lost, and ends with 23', (t) => {
  const root = rootWith(t, { 'a/b': 'b' });
  const set = attempt('setfattr', ['-n', 'user.note', '-v', 'kept', join(root, 'a/b')]);
  if (!need(t, set.status === 0, 'needs setfattr, and a file system with user.* attributes')) return;
  writeFileSync(join(root, 'plan.json'), JSON.stringify({ operations: [{ copy: { from: 'a', to: 'c' } }] }));
  const args = ['transaction', 'apply', '--root', root, join(root, 'plan.json')];
  const ran = dirfdWithoutXattrs(t, args);
  if (ran === undefined) return;
  assert.equal(ran.status, 23, ran.stderr);
  assert.match(ran.stderr, /not kept: extended attribute user\.note of b: EPERM/);
  assert.equal(readFileSync(join(root, 'c/b'), 'utf8'), 'b');
});
