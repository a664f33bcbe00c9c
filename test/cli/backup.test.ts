// `dirfd backup`: from the first version to the last.
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { attempt } from '../fixtures/command.js';
import { withOpenFiles } from '../fixtures/limits.js';
import { temporaryDirectory } from '../fixtures/temporary.js';
import { need } from '../fixtures/tools.js';
import { command, dirfd, dirfdWithoutXattrs, jsonLines } from './run-command.js';

test('creates, lists, compares, verifies, restores and prunes', (t) => {
  const cwd = temporaryDirectory(t);
  mkdirSync(join(cwd, 'store'));
  mkdirSync(join(cwd, 'project'));
  writeFileSync(join(cwd, 'project/a'), 'one');
  const backup = (...args: string[]) => dirfd(['backup', ...args], { cwd });
  const first = backup('create', 'store', 'project/', '--label=before').stdout.trim();
  assert.match(first, /^\d{8}T\d{9}Z-[0-9a-f]{8}$/);
  writeFileSync(join(cwd, 'project/a'), 'other');
  const second = backup('create', 'store', './project', '--json');
  assert.equal(jsonLines(second.stdout)[0]?.parent, first);
  assert.match(backup('list', 'store').stdout, /^\S+ {2}\S+ {2}tree {2}1 file, 3 B .*project {2}\(before\)\n.*5 B/);
  const differs = backup('diff', 'store', first, 'project');
  assert.equal(differs.status, 1);
  assert.match(differs.stdout, /^a: size: 3/m);
  assert.equal(backup('diff', 'store', 'latest', 'project').status, 0);
  assert.equal(backup('restore', 'store', first, 'project', '--keep-as=kept').status, 0);
  assert.equal(readFileSync(join(cwd, 'project/a'), 'utf8'), 'one');
  assert.equal(readFileSync(join(cwd, 'kept/a'), 'utf8'), 'other');
  assert.equal(backup('verify', 'store').stdout.match(/intact/g)?.length, 2);
  writeFileSync(join(cwd, 'store/versions', first, 'content/a'), 'two');
  const damaged = backup('verify', 'store', first);
  assert.deepEqual([damaged.status, damaged.stderr], [1, `dirfd backup: ${first}: a: changed\n`]);
  assert.equal(backup('prune', 'store', '--count=1').stdout, `${first}\n`);
  assert.equal(readdirSync(join(cwd, 'store/versions')).length, 1);
  assert.equal(backup('prune', 'store').status, 2);
  writeFileSync(join(cwd, 'project/a'), 'again and '.repeat(2000));
  assert.match(backup('create', 'store', 'project', '--compress').stderr, /1 file, 20 kB in \d+ B /);
  const packed = backup('create', 'store', 'project', '--compress-choice=gzip', '--no-share', '--json');
  assert.deepEqual(
    readFileSync(join(cwd, 'store/versions', String(jsonLines(packed.stdout)[0]?.id), 'content/a')).subarray(0, 2),
    Buffer.from([0x1f, 0x8b]),
  );
  assert.equal(backup('create', 'store', 'project', '--compress-choice=lzma').status, 2);
  assert.equal(backup('restore', 'store').status, 2);
});

test('verify tells of a version whose manifest is damaged, and looks at the others', (t) => {
  const cwd = temporaryDirectory(t);
  mkdirSync(join(cwd, 'store'));
  mkdirSync(join(cwd, 'project'));
  writeFileSync(join(cwd, 'project/a'), 'one');
  const backup = (...args: string[]) => dirfd(['backup', ...args], { cwd });
  const [first, second] = [1, 2].map(() => backup('create', 'store', 'project').stdout.trim()) as [string, string];
  writeFileSync(join(cwd, 'store/versions', first, 'manifest.json'), '{}');
  const told = backup('verify', 'store');
  assert.equal(told.status, 1);
  assert.match(told.stdout, new RegExp(`^${first} {2}DAMAGED\n${second} {2}intact: 1 file, 3 B\n$`));
  assert.match(
    told.stderr,
    new RegExp(`^dirfd backup: ${first}: ERR_DIRFD_INTEGRITY: the manifest is not what was written`),
  );
  const lines = jsonLines(backup('verify', 'store', '--json').stdout);
  assert.deepEqual(
    lines.map(({ id, intact }) => [id, intact]),
    [
      [first, false],
      [second, true],
    ],
  );
  assert.equal(backup('verify', 'store', second).status, 0);
  const pruned = backup('prune', 'store', '--count=1');
  assert.deepEqual([pruned.status, pruned.stdout], [1, '']);
  assert.match(pruned.stderr, new RegExp(`^dirfd backup: ${first}: not removed: ERR_DIRFD_INTEGRITY: .*\n.*kept 1\n$`));
  assert.equal(backup('diff', 'store', second, 'latest').status, 0);
  writeFileSync(join(cwd, 'store/versions', second, 'manifest.json'), '{}');
  const third = backup('create', 'store', 'project').stdout.trim();
  const fourth = backup('create', 'store', 'project').stdout.trim();
  writeFileSync(join(cwd, 'store/versions', fourth, 'manifest.json'), '{}');
  const refused = backup('restore', 'store', 'latest', 'project').stderr;
  assert.equal(refused, `dirfd backup: ${fourth}, which is newer than ${third}, cannot be read: say which\n`);
});

test('the latest version is asked for by its source where the store has several', (t) => {
  const cwd = realpathSync(temporaryDirectory(t));
  for (const name of ['store', 'p', 'q']) mkdirSync(join(cwd, name));
  for (const name of ['p', 'q']) writeFileSync(join(cwd, name, 'a'), name);
  const backup = (...args: string[]) => dirfd(['backup', ...args], { cwd });
  const [p, q] = ['p', 'q'].map((name) => backup('create', 'store', name).stdout.trim());
  const refused = backup('restore', 'store', 'latest', 'p');
  assert.equal(refused.status, 2);
  assert.match(refused.stderr, /latest of which source\? There are versions of \S+\/p and \S+\/q: say --source=PATH/);
  assert.equal(readFileSync(join(cwd, 'p/a'), 'utf8'), 'p');
  assert.equal(backup('restore', 'store', 'latest', 'again', `--source=${cwd}/p`).status, 0);
  assert.equal(readFileSync(join(cwd, 'again/a'), 'utf8'), 'p');
  assert.equal(backup('diff', 'store', String(p)).status, 0, 'the latest of its own source');
  assert.match(backup('list', 'store', `--source=${cwd}/q`).stdout, new RegExp(`^${q}  .*\n$`));
  assert.equal(backup('prune', 'store', '--count=1').stdout, '');
  assert.match(backup('prune', 'store', '--count=1', '--source=p').stderr, /there is no version of p: list prints/);
  const other = `dirfd backup: ${q} is not known as a version of ${cwd}/p: list prints the sources\n`;
  for (const action of [['verify'], ['diff'], ['restore', 'never']] as const) {
    const ran = backup(action[0], 'store', String(q), ...action.slice(1), `--source=${cwd}/p`);
    assert.deepEqual([ran.status, ran.stdout, ran.stderr], [1, '', other], action[0]);
  }
  assert.equal(backup('verify', 'store', String(q), `--source=${cwd}/q`).status, 0);
  assert.equal(backup('diff', 'store', String(p), String(q)).status, 1, 'versions of two sources');
  const wrong = backup('create', 'store', 'p', `--source=${cwd}/p`);
  assert.deepEqual([wrong.status, wrong.stderr], [2, 'dirfd backup: --source is for all but create\n']);
  assert.deepEqual(readdirSync(join(cwd, 'store/versions')).sort(), [p, q].sort());
});

test('backup and audit need few descriptors', (t) => {
  const cwd = temporaryDirectory(t);
  for (const name of ['store', 'project']) mkdirSync(join(cwd, name));
  writeFileSync(join(cwd, 'trail'), '');
  for (const args of [
    ['backup', 'create', 'store', 'project'],
    ['backup', 'list', 'store'],
    ['audit', 'verify', 'trail'],
  ]) {
    const ran = withOpenFiles(40, [process.execPath, command, ...args], { cwd });
    assert.equal(ran.status, 0, ran.stderr);
  }
});

test('what a version or a restore could not keep is told, and ends with 23', (t) => {
  const cwd = temporaryDirectory(t);
  for (const name of ['store', 'project']) mkdirSync(join(cwd, name));
  writeFileSync(join(cwd, 'project/a'), 'one');
  const set = attempt('setfattr', ['-n', 'user.note', '-v', 'kept', join(cwd, 'project/a')]);
  if (!need(t, set.status === 0, 'needs setfattr, and a file system with user.* attributes')) return;
  const expected = 'not kept: extended attribute user.note of a: EPERM';
  for (const args of [
    ['create', 'store', 'project', '--json'],
    ['restore', 'store', 'latest', 'again', '--json'],
    ['create', 'store', 'project/a', '--json'],
  ]) {
    // The version that is restored has the attribute.
    if (args[0] === 'restore') assert.equal(dirfd(['backup', 'create', 'store', 'project'], { cwd }).status, 0);
    const ran = dirfdWithoutXattrs(t, ['backup', ...args], { cwd });
    if (ran === undefined) return;
    assert.equal(ran.status, 23, ran.stderr);
    const path = args[2] === 'project/a' ? '.' : 'a';
    assert.ok(ran.stderr.includes(expected.replace(' a:', ` ${path}:`)), ran.stderr);
    assert.equal(jsonLines(ran.stdout)[0]?.notKeptCount, 1);
  }
  assert.equal(jsonLines(dirfd(['backup', 'list', 'store', '--json'], { cwd }).stdout)[0]?.notKeptCount, 1);
});

test('only create makes a store: all else leaves an ordinary directory as it was', (t) => {
  const cwd = temporaryDirectory(t);
  writeFileSync(join(cwd, 'mine'), '');
  for (const args of [['list'], ['diff', 'latest'], ['verify'], ['restore', 'latest', 'x'], ['prune', '--count=1']]) {
    const [action = '', ...words] = args;
    const ran = dirfd(['backup', action, '.', ...words], { cwd });
    assert.deepEqual([ran.status, /no backup store/.test(ran.stderr)], [1, true], ran.stderr);
    assert.deepEqual(readdirSync(cwd), ['mine']);
  }
});

test('dirfd restore does what backup restore does', (t) => {
  const cwd = temporaryDirectory(t);
  for (const name of ['store', 'p', 'p/deep']) mkdirSync(join(cwd, name));
  writeFileSync(join(cwd, 'p/deep/a'), 'old');
  const run = (...args: string[]) => dirfd(args, { cwd });
  const id = run('backup', 'create', 'store', 'p').stdout.trim();
  writeFileSync(join(cwd, 'p/deep/a'), 'new');
  assert.equal(run('restore', 'store', 'latest', 'p/deep', '--path=deep', '--keep-as=spoilt').status, 0);
  assert.deepEqual(
    ['p/deep/a', 'p/spoilt/a'].map((name) => readFileSync(join(cwd, name), 'utf8')),
    ['old', 'new'],
  );
  assert.deepEqual(JSON.parse(run('restore', 'store', id, 'again', '--json').stdout).replaced, false);
  assert.deepEqual([run('restore', 'store', id).status, run('restore', 'store', 'none', 'p').status], [2, 1]);
});
