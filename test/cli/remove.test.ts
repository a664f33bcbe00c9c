import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { nobody, ordinaryDirectory, ordinaryUserCanRun } from '../fixtures/ordinary-user.js';
import { temporaryDirectory } from '../fixtures/temporary.js';
import { isRoot } from '../fixtures/tools.js';
import { deep, names, plain } from '../fixtures/trees.js';
import { dirfd, jsonLines } from './run-command.js';

type Context = { after(cleanUp: () => void): void };

function tree(t: Context, fill: (directory: string) => unknown): string {
  const path = join(temporaryDirectory(t), 'tree');
  mkdirSync(path);
  fill(path);
  return path;
}

describe('dirfd remove', () => {
  test('removes trees and files, and says how many entries', (t) => {
    const path = tree(t, plain);
    const file = `${path}-file`;
    writeFileSync(file, '');
    const { status, stdout, stderr } = dirfd(['remove', path, file]);
    assert.deepEqual([status, stdout], [0, '']);
    assert.match(stderr, /^removed 16 entries in \d+\.\d\d s: [\d,]+ entries\/s\n$/);
    assert.ok(!existsSync(path) && !existsSync(file));
  });

  test('removes names of any bytes, and trees deeper than a path can name', (t) => {
    for (const fill of [names, deep]) {
      const path = tree(t, fill);
      assert.deepEqual(Object.values(dirfd(['remove', '-q', path])).filter(Boolean), []);
      assert.ok(!existsSync(path));
    }
  });

  test('removes a symlink, not what it points to', (t) => {
    const path = tree(t, plain);
    symlinkSync(path, `${path}-link`);
    assert.equal(dirfd(['remove', '-r', `${path}-link`]).status, 0);
    assert.ok(!existsSync(`${path}-link`));
    assert.ok(existsSync(join(path, 'readme.md')));
  });

  test('never removes the root, the current directory or its parent', (t) => {
    const path = tree(t, plain);
    for (const never of ['/', '//', '.', './', '..', 'a/..', 'a/.']) {
      const { status, stderr } = dirfd(['remove', '-f', never], { cwd: path });
      assert.equal(status, 2, never);
      assert.match(stderr, /^dirfd remove: refused: /);
    }
    assert.ok(existsSync(join(path, 'readme.md')));
  });

  test('fails for what is not there, unless --force; and goes on to the next', (t) => {
    const path = tree(t, plain);
    const absent = dirfd(['remove', `${path}-absent`]);
    assert.equal(absent.status, 1);
    assert.match(absent.stderr, /^dirfd remove: ENOENT: .*-absent'/);
    assert.deepEqual(
      jsonLines(dirfd(['remove', '--json', `${path}-absent`]).stdout).map(({ type, code }) => code ?? type),
      ['ENOENT', 'incomplete'],
    );
    assert.equal(dirfd(['remove', '-rf', `${path}-absent`]).status, 0);
    assert.equal(dirfd(['remove', `${path}-absent`, path]).status, 23);
    assert.ok(!existsSync(path));
  });

  test('names what it cannot remove, removes the rest, and ends with 23', (t) => {
    if (!ordinaryUserCanRun(t)) return;
    const place = ordinaryDirectory(t);
    const identity = isRoot() ? nobody : {};
    mkdirSync(join(place, 'tree', 'shut'), { recursive: true });
    writeFileSync(join(place, 'tree', 'shut', 'file'), '');
    writeFileSync(join(place, 'tree', 'free'), '');
    // Root made them: without write permission for others, nobody cannot take names out.
    chmodSync(join(place, 'tree', 'shut'), isRoot() ? 0o755 : 0o500);
    chmodSync(join(place, 'tree'), 0o777);
    const { status, stdout, stderr } = dirfd(['remove', '--json', 'tree'], { cwd: place, ...identity });
    assert.equal(status, 23, stderr);
    assert.match(stderr, /^dirfd remove: EACCES: permission denied, unlinkat '.*shut\/file' in /m);
    const lines = jsonLines(stdout);
    assert.ok(lines.some(({ type, path, code }) => type === 'error' && path === 'tree/shut/file' && code === 'EACCES'));
    assert.deepEqual(lines.at(-1), { type: 'incomplete', failures: 1, path: 'tree', entries: 1 });
    assert.deepEqual(readdirSync(join(place, 'tree')), ['shut']);
  });
});
