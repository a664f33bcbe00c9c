// `dirfd backup`: from the first version to the last.
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory } from '../fixtures/temporary.js';
import { dirfd, jsonLines } from './run-command.js';

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
  assert.equal(backup('prune', 'store').status, 1);
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
});
