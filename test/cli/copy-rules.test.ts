import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type TestLike, temporaryDirectory } from '../fixtures/temporary.js';
import { requireRoot } from '../fixtures/tools.js';
import { dirfd } from './run-command.js';

function roots(t: TestLike): readonly [string, string] {
  const base = temporaryDirectory(t);
  const source = join(base, 'source');
  mkdirSync(source);
  writeFileSync(join(source, 'file'), 'content');
  chmodSync(join(source, 'file'), 0o666);
  return [source, join(base, 'destination')];
}

describe('dirfd copy with rules', () => {
  test('--chmod gives other modes, and sync and verify agree under the same rules', (t) => {
    const [source, destination] = roots(t);
    const rules = ['--chmod=Fo-w', '--chmod', 'D711'];
    assert.equal(dirfd(['copy', ...rules, source, destination]).status, 0);
    assert.deepEqual(
      [destination, join(destination, 'file')].map((path) => statSync(path).mode & 0o777),
      [0o711, 0o664],
    );
    assert.equal(dirfd(['sync', '-i', ...rules, source, destination]).stdout, '');
    assert.equal(dirfd(['verify', ...rules, source, destination]).status, 0);
    assert.equal(dirfd(['verify', source, destination]).status, 1);
  });

  test('--chown, --usermap and --groupmap take names and numbers, and the first pair that matches counts', (t) => {
    if (!requireRoot(t)) return;
    const [source, destination] = roots(t);
    const owner = (...flags: string[]) => {
      const { status, stderr } = dirfd(['sync', ...flags, source, destination]);
      assert.equal(status, 0, stderr);
      const { uid, gid } = statSync(join(destination, 'file'));
      return [uid, gid];
    };
    assert.deepEqual(owner('--chown=1234:daemon'), [1234, 1]);
    assert.deepEqual(owner('--chown=:77'), [0, 77]);
    assert.deepEqual(owner('--usermap=0-99:55,root:66,*:77', '--groupmap=r*t:88'), [55, 88]);
    assert.deepEqual(owner('--usermap=1:55'), [0, 0]);
  });

  test('says what is wrong with a rule, and does nothing', (t) => {
    const [source, destination] = roots(t);
    for (const [flag, said] of [
      ['--chmod=u+q', /'u\+q' is no rule for modes/],
      ['--chown=:', /USER:GROUP/],
      ['--chown=no-such-user-here', /knows no user 'no-such-user-here'/],
      ['--usermap=1000', /'1000' is not FROM:TO/],
      ['--max-delete=x', /whole number/],
      ['--max-delete=1', /does nothing without --delete/],
      ['--delete-excluded', /does nothing without --delete/],
      ['--retry-delay=1', /does nothing without --retries/],
      ['--resume --atomic', /cannot be used with/],
      ['--resume --flags', /cannot be used with/],
      ['--no-owner --chown=1', /cannot be used with/],
    ] as const) {
      const { status, stderr } = dirfd(['copy', ...flag.split(' '), source, destination]);
      assert.equal(status, 2, stderr);
      assert.match(stderr, said);
      assert.equal(existsSync(destination), false);
    }
    assert.equal(dirfd(['copy', '--chown=0', '--usermap=0:1', source, destination]).status, 2);
  });

  test('--max-delete leaves what would be too much, names it, and ends with 23', (t) => {
    const [source, destination] = roots(t);
    dirfd(['copy', source, destination]);
    mkdirSync(join(destination, 'gone'));
    writeFileSync(join(destination, 'gone', 'below'), '');
    for (const flag of ['--delete', '--delete-before', '--delete-after']) {
      const { status, stderr } = dirfd(['copy', '-u', flag, '--max-delete=1', source, destination]);
      assert.equal(status, 23);
      assert.match(stderr, /ERR_DIRFD_DELETE_LIMIT: maxDelete allows to remove no more, delete 'gone'/);
      assert.ok(existsSync(join(destination, 'gone', 'below')));
    }
    assert.equal(dirfd(['sync', '-u', '--delete', '--delete-after', '--max-delete=2', source, destination]).status, 0);
    assert.equal(existsSync(join(destination, 'gone')), false);
  });
});
