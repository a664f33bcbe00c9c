import assert from 'node:assert/strict';
import { chmodSync, linkSync, mkdirSync, rmSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { nobody, ordinaryDirectory, ordinaryUserCanRun } from '../fixtures/ordinary-user.js';
import { temporaryDirectory } from '../fixtures/temporary.js';
import { isRoot } from '../fixtures/tools.js';
import { names, plain } from '../fixtures/trees.js';
import { dirfd, jsonLines } from './run-command.js';

type Context = { after(cleanUp: () => void): void };

/** A tree and its copy. */
function pair(t: Context, fill: (directory: string) => unknown): [a: string, b: string] {
  const place = temporaryDirectory(t);
  const [a, b] = [join(place, 'a'), join(place, 'b')];
  mkdirSync(a);
  fill(a);
  assert.equal(dirfd(['copy', '-q', a, b]).status, 0);
  return [a, b];
}

describe('dirfd verify', () => {
  test('finds no difference between a tree and its copy', (t) => {
    for (const fill of [plain, names]) {
      const { status, stdout, stderr } = dirfd(['verify', ...pair(t, fill)]);
      assert.deepEqual([status, stdout], [0, ''], stdout + stderr);
      assert.match(stderr, /^no difference in [\d,]+ entries, [\d.]+ k?B read in \d+\.\d\d s(: [\d,]+ entries\/s)?\n$/);
    }
  });

  test('lists each difference on a line, and ends with 1', (t) => {
    const [a, b] = pair(t, plain);
    chmodSync(join(b, 'readme.md'), 0o600);
    rmSync(join(b, 'empty'), { recursive: true });
    writeFileSync(join(b, 'stranger'), '');
    unlinkSync(join(b, 'one-again.txt'));
    writeFileSync(join(b, 'one-again.txt'), 'one\n');
    const { status, stdout } = dirfd(['verify', '--no-times', a, b]);
    assert.equal(status, 1);
    assert.match(stdout, /^mode {7}readme\.md: 0644 in A, 0600 in B$/m);
    assert.match(stdout, /^missing {4}empty \(a directory\)$/m);
    assert.match(stdout, /^extra {6}stranger \(a file\)$/m);
    assert.match(stdout, /^hard-links (a\/one|one-again)\.txt: /m);
  });

  test('finds one changed byte behind the same size and time, unless it is to be quick', (t) => {
    const [a, b] = pair(t, plain);
    for (const tree of [a, b]) utimesSync(join(tree, 'a'), 1, 1);
    writeFileSync(join(b, 'readme.md'), '# plaim\n');
    for (const tree of [a, b]) utimesSync(join(tree, 'readme.md'), 1_000_000_000, 1_000_000_000);
    const { status, stdout } = dirfd(['verify', a, b]);
    assert.equal(status, 1);
    assert.match(stdout, /^content {4}readme\.md: from byte \d+/);
    assert.equal(dirfd(['verify', '--quick', a, b]).status, 0);
  });

  test('--json gives a difference a line, and at last the report', (t) => {
    const [a, b] = pair(t, plain);
    writeFileSync(Buffer.concat([Buffer.from(`${b}/`), Buffer.from([0xff])]), '');
    linkSync(join(b, 'readme.md'), join(b, 'readme-again.md'));
    const { status, stdout } = dirfd(['verify', '--json', '--no-times', a, b]);
    assert.equal(status, 1);
    const lines = jsonLines(stdout);
    const report = lines.pop()!;
    assert.deepEqual([report.type, report.same, report.exitCode], ['report', false, 1]);
    assert.equal(report.differenceCount, lines.length);
    assert.ok(lines.some(({ field, pathBytes }) => field === 'extra' && pathBytes === '/w=='));
  });

  test('names what it cannot read, compares the rest, and ends with 23', (t) => {
    if (!ordinaryUserCanRun(t)) return;
    const place = ordinaryDirectory(t);
    for (const tree of ['a', 'b']) {
      mkdirSync(join(place, tree), { mode: 0o755 });
      writeFileSync(join(place, tree, 'secret'), 'x', { mode: 0o600 });
      if (!isRoot()) chmodSync(join(place, tree, 'secret'), 0);
      writeFileSync(join(place, tree, 'open'), tree, { mode: 0o644 });
    }
    const { status, stdout, stderr } = dirfd(['verify', '--no-times', 'a', 'b'], {
      cwd: place,
      ...(isRoot() ? nobody : {}),
    });
    assert.equal(status, 23, stderr);
    assert.match(stderr, /^dirfd verify: EACCES: permission denied, \w+ 'secret' in '[ab]'/m);
    assert.match(stdout, /^content {4}open: /m);
  });

  test('fails where one of them is not there', (t) => {
    const place = temporaryDirectory(t);
    const { status, stderr } = dirfd(['verify', place, join(place, 'absent')]);
    assert.equal(status, 1);
    assert.match(stderr, /^dirfd verify: ENOENT: .*absent'\n$/);
  });
});
