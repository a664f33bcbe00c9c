import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { attempt } from '../fixtures/command.js';
import { assertSameTree } from '../fixtures/compare.js';
import { nobody, ordinaryDirectory, ordinaryUserCanRun } from '../fixtures/ordinary-user.js';
import { temporaryDirectory } from '../fixtures/temporary.js';
import { isRoot, requireRoot, requireTool } from '../fixtures/tools.js';
import { names, plain, wide } from '../fixtures/trees.js';
import { command, dirfd, jsonLines, onTerminal, start } from './run-command.js';

type Context = { after(cleanUp: () => void): void };

/** A filled source, and a destination that is not there yet. */
function roots(t: Context, fill: (directory: string) => unknown): [source: string, destination: string] {
  const place = temporaryDirectory(t);
  const source = join(place, 'source');
  mkdirSync(source);
  fill(source);
  return [source, join(place, 'destination')];
}

describe('dirfd copy', () => {
  test('copies a tree and says what it did, in one line', (t) => {
    const [source, destination] = roots(t, plain);
    const { status, stdout, stderr } = dirfd(['copy', source, destination]);
    assert.equal(status, 0, stderr);
    assert.equal(stdout, '');
    assert.match(
      stderr,
      /^copied 5 files, 4 directories, 4 symlinks, 1 hard link \(300 kB\) in \d+\.\d\d s: [\d.]+ [kM]B\/s, [\d,]+ entries\/s\n$/,
    );
    assertSameTree(source, destination);
  });

  test('copies names of any bytes', (t) => {
    const [source, destination] = roots(t, names);
    assert.equal(dirfd(['copy', '-q', source, destination]).status, 0);
    assertSameTree(source, destination);
  });

  test('copies a single file, with the flags that people type for cp and rsync', (t) => {
    const [source, destination] = roots(t, plain);
    for (const flags of ['-a', '-aHAXS', '-r', '-Rp', '-avx']) {
      const { status, stderr } = dirfd(['copy', flags, join(source, 'readme.md'), destination]);
      assert.equal(status, 0, stderr);
      assert.equal(readFileSync(destination, 'utf8'), '# plain\n');
    }
  });

  test('--exclude, --include and --gitignore leave out, and sync deletes nothing of that', (t) => {
    const [source, destination] = roots(t, (path) => {
      mkdirSync(join(path, 'src'));
      for (const name of ['a.log', 'a.ts', 'src/b.ts', 'src/b.js']) writeFileSync(join(path, name), '');
      writeFileSync(join(path, '.gitignore'), 'b.ts\n');
    });
    const left = (...flags: string[]) => {
      const { status, stderr } = dirfd(['sync', '-q', ...flags, source, destination]);
      assert.equal(status, 0, stderr);
      return readdirSync(destination, { recursive: true, encoding: 'utf8' }).sort();
    };
    assert.deepEqual(left('--exclude=*.log', '--exclude', 'src'), ['.gitignore', 'a.ts']);
    assert.deepEqual(left('--include=*.ts', '--gitignore'), ['.gitignore', 'a.ts', 'src']);
    assert.deepEqual(left('--include=*.js', '--delete-excluded'), ['src', 'src/b.js']);
    assert.equal(dirfd(['verify', '-q', '--no-times', '--include=*.js', source, destination]).status, 0);
    assert.equal(dirfd(['verify', '-q', '--no-times', '--exclude=*.log', source, destination]).status, 1);
  });

  test('--quiet says nothing when all is well', (t) => {
    const { status, stdout, stderr } = dirfd(['copy', '--quiet', ...roots(t, plain)]);
    assert.deepEqual([status, stdout, stderr], [0, '', '']);
  });

  test('--itemize prints a line for every entry', (t) => {
    const { stdout } = dirfd(['copy', '-v', ...roots(t, plain)]);
    assert.match(stdout, /^[>h]f\+{9} a\/one\.txt/m);
    assert.match(stdout, /^cL\+{9} dangling$/m);
    assert.match(stdout, /^cd\+{9} a\/b\/$/m);
  });

  test('-c copies what has other bytes at the same size and time, and -i tells it as rsync does', (t) => {
    const [source, destination] = roots(t, (directory) => writeFileSync(join(directory, 'file'), 'one'));
    dirfd(['copy', source, destination]);
    writeFileSync(join(destination, 'file'), 'two');
    const { atime, mtime } = statSync(join(source, 'file'));
    utimesSync(join(destination, 'file'), atime, mtime);
    utimesSync(join(source, 'file'), atime, mtime);
    assert.equal(dirfd(['sync', '-i', source, destination]).stdout, '');
    assert.equal(dirfd(['sync', '-ic', source, destination]).stdout, '>fc........ file\n');
    assertSameTree(source, destination);
  });

  test('--dry-run lists what would be done, and does nothing', (t) => {
    const [source, destination] = roots(t, plain);
    const { status, stdout, stderr } = dirfd(['copy', '-n', source, destination]);
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^>f\+{9} readme\.md$/m);
    assert.match(stderr, /^would copy 5 files, 4 directories, 4 symlinks, 1 hard link \(300 kB\)\n$/);
    assert.ok(!existsSync(destination));
  });

  test('--json gives events and at last the report, an object a line', (t) => {
    const [source, destination] = roots(t, names);
    const { status, stdout } = dirfd(['copy', '--json', '--itemize', '-q', source, destination]);
    assert.equal(status, 0);
    const lines = jsonLines(stdout);
    const report = lines.pop()!;
    assert.equal(report.type, 'report');
    assert.equal(
      report.files,
      (lines.filter((line) => line.type === 'entry' && line.kind === 'file') as unknown[]).length,
    );
    const bad = lines.filter(({ pathBytes }) => pathBytes !== undefined);
    assert.ok(
      bad.some(({ pathBytes }) =>
        Buffer.from(pathBytes as string, 'base64').equals(Buffer.from('files/\xff', 'latin1')),
      ),
    );
  });

  test('does nothing with wrong usage', (t) => {
    const [source, destination] = roots(t, plain);
    for (const args of [
      [source],
      [source, destination, 'more'],
      ['--reflink=maybe', source, destination],
      ['', destination],
    ]) {
      const { status, stdout, stderr } = dirfd(['copy', ...args]);
      assert.deepEqual([status, stdout], [2, ''], stderr);
      assert.match(stderr, /^dirfd copy: .*\nTry 'dirfd copy --help'\.\n$/);
    }
    assert.ok(!existsSync(destination));
  });

  test('fails with 1 where the source is not there, or the destination lies inside it', (t) => {
    const [source, destination] = roots(t, plain);
    const absent = dirfd(['copy', join(source, 'absent'), destination]);
    assert.equal(absent.status, 1);
    assert.match(absent.stderr, /^dirfd copy: ENOENT: .*absent'/);
    const inside = dirfd(['copy', source, join(source, 'a', 'copy')]);
    assert.equal(inside.status, 1);
    assert.match(
      inside.stderr,
      /^dirfd copy: ERR_DIRFD_INVALID_ARGUMENT: the destination is the source or lies inside it/,
    );
    assert.deepEqual(readdirSync(join(source, 'a')).sort(), ['b', 'one.txt', 'two.bin']);
  });

  test('does not call it nothing to do where nothing could be done', (t) => {
    const [source, destination] = roots(t, plain);
    for (const args of [
      [join(source, 'absent'), destination],
      [source, join(destination, 'absent', 'deeper')],
    ]) {
      const { stderr } = dirfd(['copy', ...args]);
      assert.match(stderr, /^dirfd copy: ENOENT: [^\n]+\nnothing was copied in \d+\.\d\d s\n$/);
      assert.match(dirfd(['sync', '-n', ...args]).stderr, /\nnothing found to do\n$/);
    }
  });

  test('copies the rest where one entry cannot be read, names it, and ends with 23', (t) => {
    if (!ordinaryUserCanRun(t)) return;
    const place = ordinaryDirectory(t);
    const identity = isRoot() ? nobody : {};
    mkdirSync(join(place, 'source'));
    writeFileSync(join(place, 'source', 'secret'), '');
    writeFileSync(join(place, 'source', 'file'), 'content');
    chmodSync(join(place, 'source', 'secret'), 0);
    const args = ['copy', 'source', 'destination'];
    const { status, stderr } = dirfd(args, { cwd: place, ...identity });
    assert.equal(status, 23, stderr);
    assert.match(stderr, /^dirfd copy: EACCES: permission denied, \w+ 'secret' in 'source'/m);
    assert.match(stderr, /^copied .*; 1 failure\b/m);
    assert.equal(readFileSync(join(place, 'destination', 'file'), 'utf8'), 'content');
    const stopped = dirfd(['copy', '--on-error=stop', 'source', 'other'], { cwd: place, ...identity });
    assert.equal(stopped.status, 1);
    assert.equal(stopped.stderr.match(/EACCES/g)?.length, 1, 'told once');
  });

  test('tells what was not kept by reason, with a number and advice', (t) => {
    if (!requireRoot(t) || !ordinaryUserCanRun(t)) return;
    const place = ordinaryDirectory(t);
    mkdirSync(join(place, 'source'), { mode: 0o755 });
    for (const name of ['a', 'b', 'c']) writeFileSync(join(place, 'source', name), name, { mode: 0o644 });
    const { status, stderr } = dirfd(['copy', 'source', 'destination'], { cwd: place, ...nobody });
    assert.match(
      stderr,
      /^not kept: owner or group of 4 entries, first [^:]+: EPERM \(only root may .*--no-owner.*\)$/m,
    );
    assert.equal(status, 23);
    assert.equal(dirfd(['copy', '--no-owner', 'source', 'other'], { cwd: place, ...nobody }).status, 0);
  });

  test('stops within a second at Ctrl-C, with a summary, and leaves no half file', async (t) => {
    const [source, destination] = roots(t, (directory) => wide(directory, 6000));
    const child = start(['copy', source, destination]);
    let told = '';
    child.stderr!.on('data', (chunk) => {
      told += chunk;
    });
    while (child.exitCode === null && (!existsSync(destination) || readdirSync(destination).length < 100))
      await new Promise((next) => setTimeout(next, 5));
    const asked = performance.now();
    child.kill('SIGINT');
    const [status] = await once(child, 'close');
    assert.equal(status, 130, told);
    assert.ok(performance.now() - asked < 1000);
    assert.match(told, /^interrupted: copied [\d,]+ files/m);
    for (const name of readdirSync(destination)) {
      assert.equal(statSync(join(destination, name)).size, statSync(join(source, name)).size, name);
    }
  });

  test('stops within a second at Ctrl-C in the middle of a large file that is copied slowly, and leaves nothing of it', async (t) => {
    const [source, destination] = roots(t, (directory) =>
      writeFileSync(join(directory, 'large'), 'x'.repeat(10 << 20)),
    );
    const child = start(['copy', '--bwlimit=64', source, destination]);
    while (child.exitCode === null && (!existsSync(destination) || readdirSync(destination).length === 0))
      await new Promise((next) => setTimeout(next, 5));
    const asked = performance.now();
    child.kill('SIGINT');
    const [status] = await once(child, 'close');
    assert.equal(status, 130);
    assert.ok(performance.now() - asked < 1000);
    assert.deepEqual(readdirSync(destination), []);
  });

  test('shows a bar on a terminal, takes it off again, and shows none elsewhere or with --no-progress', (t) => {
    if (!requireTool(t, 'script')) return;
    const [source, destination] = roots(t, (directory) => wide(directory, 500));
    const shown = onTerminal(['copy', source, destination]);
    assert.equal(shown.status, 0, shown.stdout);
    assert.match(shown.stdout, /copying \| [\d,]+ entries/);
    assert.ok(
      shown.stdout.includes('\x1b[?25l') &&
        shown.stdout.lastIndexOf('\x1b[?25h') > shown.stdout.lastIndexOf('\x1b[?25l'),
    );
    assert.match(shown.stdout, /copied 500 files.*\r\n$/);
    rmSync(destination, { recursive: true });
    assert.doesNotMatch(onTerminal(['copy', '--no-progress', source, destination]).stdout, /copying/);
    rmSync(destination, { recursive: true });
    assert.doesNotMatch(dirfd(['copy', source, destination]).stderr, /copying/);
  });
});

describe('dirfd sync', () => {
  test('has one line on standard error whether its reader is slow or gone', (t) => {
    if (!requireTool(t, 'bash', 'head')) return;
    const [source, destination] = roots(t, (directory) => wide(directory, 5000));
    // More lines than a pipe holds.
    for (const reader of ['head -n 2', '{ sleep 0.5; tail -n 2; }']) {
      const script = `"$0" "$1" sync -vn "$2" "$3" | ${reader}`;
      const { stdout, stderr } = attempt('bash', ['-c', script, process.execPath, command, source, destination]);
      assert.equal(stdout.split('\n').length, 3);
      assert.match(stderr, /^would copy 5,000 files[^\n]*\n$/);
    }
  });

  test('copies what is new or changed, removes what is no more, and then has nothing to do', (t) => {
    const [source, destination] = roots(t, plain);
    assert.equal(dirfd(['sync', source, destination]).status, 0);
    rmSync(join(source, 'a', 'b'), { recursive: true });
    writeFileSync(join(source, 'readme.md'), 'changed\n');
    writeFileSync(join(destination, 'stranger'), '');
    const second = dirfd(['sync', '-v', source, destination]);
    assert.equal(second.status, 0, second.stderr);
    assert.match(second.stdout, /^>f\.[.s]t\.{6} readme\.md$/m);
    assert.doesNotMatch(second.stdout, /one\.txt|link-to/, 'what is the same is not listed');
    assert.match(second.stdout, /^\*deleting {3}stranger$/m);
    assert.match(second.stdout, /^\*deleting {3}a\/b\/$/m);
    assertSameTree(source, destination);
    assert.match(dirfd(['sync', source, destination]).stderr, /^nothing to do in /);
  });
});
