import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { temporaryDirectory } from '../fixtures/temporary.js';
import { dirfd, start } from './run-command.js';

describe('dirfd write', () => {
  test('replaces a file by standard input or a text, keeps its mode, and prints nothing', (t) => {
    const path = temporaryDirectory(t);
    const file = join(path, 'file');
    const input = Buffer.alloc(3_000_000, 'x');
    assert.deepEqual(dirfd(['write', file], { input }), { status: 0, signal: null, stdout: '', stderr: '' });
    assert.deepEqual(readFileSync(file), input);
    chmodSync(file, 0o640);
    assert.equal(dirfd(['write', '--text', 'short', '--backup', '--verify', file]).status, 0);
    assert.equal(readFileSync(file, 'utf8'), 'short');
    assert.equal(statSync(file).mode & 0o777, 0o640);
    assert.equal(readdirSync(path).length, 2);
    assert.equal(dirfd(['write', '--mode=600', '--durability=none', '--text=', file]).status, 0);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.equal(statSync(file).size, 0);
  });

  test('refuses what is not as it has to be, in one line, and leaves the file', (t) => {
    const path = temporaryDirectory(t);
    const file = join(path, 'file');
    writeFileSync(file, 'old');
    writeFileSync(join(path, 'schema'), '{"properties":{"port":{"type":"integer"}}}');
    symlinkSync('file', join(path, 'link'));
    mkdirSync(join(path, 'directory'));
    const schema = `--schema=${join(path, 'schema')}`;
    const cases: [string[], string, RegExp][] = [
      [['--json', file], '{', /the content is not JSON/],
      [['--yaml', file], 'a: [', /the content is not YAML/],
      [['--json', file], '"\xff', /not utf-8: byte 1 /],
      [[schema, file], '{"port":"x"}', /'\/port' must be integer/],
      [[schema, '--yaml', file], 'port: x', /'\/port' must be integer/],
      [['--max-size=2', file], 'abc', /more than 2 bytes/],
      [['--create-only', file], 'x', /EEXIST/],
      [[join(path, 'link')], 'x', /ELOOP.*symlinks: 'replace'/],
      [[join(path, 'directory')], 'x', /EISDIR/],
      [[join(path, 'missing/file')], 'x', /ENOENT/],
    ];
    for (const [args, input, message] of cases) {
      const ran = dirfd(['write', ...args], { input: Buffer.from(input, 'latin1') });
      assert.equal(ran.status, 1, args.join(' '));
      assert.match(ran.stderr, message);
      assert.equal(ran.stderr.trim().split('\n').length, 1, ran.stderr);
    }
    for (const args of [['--mode=9', file], ['--durability=some', file], ['--json', '--yaml', file], []]) {
      assert.equal(dirfd(['write', ...args], { input: '' }).status, 2);
    }
    assert.equal(readFileSync(file, 'utf8'), 'old');
    assert.deepEqual(readdirSync(path).sort(), ['directory', 'file', 'link', 'schema']);
    assert.equal(dirfd(['write', '--symlinks=follow-beneath', join(path, 'link')], { input: 'new' }).status, 0);
    assert.equal(readFileSync(file, 'utf8'), 'new');
  });

  test('an interrupted write leaves the old file', async (t) => {
    const path = temporaryDirectory(t);
    const file = join(path, 'file');
    writeFileSync(file, 'old');
    const child = start(['write', file]);
    child.stdin!.on('error', () => {}); // it may be gone before all has been taken
    // More than a pipe holds: once it is taken, the command is at work.
    await new Promise((resolve) => child.stdin!.write(Buffer.alloc(2_000_000), resolve));
    child.kill('SIGINT');
    const [code] = await once(child, 'exit');
    assert.equal(code, 130);
    assert.equal(readFileSync(file, 'utf8'), 'old');
    assert.deepEqual(readdirSync(path), ['file']);
  });
});
