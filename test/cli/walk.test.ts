import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { attempt, run } from '../fixtures/command.js';
import { nobody, ordinaryDirectory, ordinaryUserCanRun } from '../fixtures/ordinary-user.js';
import { temporaryDirectory } from '../fixtures/temporary.js';
import { isRoot, requireTool } from '../fixtures/tools.js';
import { awkwardNames, names, plain, plainEntries, wide } from '../fixtures/trees.js';
import { command, dirfd, jsonLines, onTerminal, start } from './run-command.js';

function treeOf(t: { after(f: () => void): void }, fill: (directory: string) => unknown): string {
  const directory = temporaryDirectory(t);
  fill(directory);
  return directory;
}

const sortedLines = (text: string) => text.split('\n').filter(Boolean).sort();

describe('dirfd walk', () => {
  test('prints every path below DIR, one a line', (t) => {
    const tree = treeOf(t, plain);
    const { status, stdout, stderr } = dirfd(['walk', tree]);
    assert.deepEqual([status, stderr], [0, '']);
    assert.deepEqual(sortedLines(stdout), [...plainEntries].sort());
  });

  test('walks the current directory where none is given', (t) => {
    const tree = treeOf(t, plain);
    assert.deepEqual(sortedLines(dirfd(['walk'], { cwd: tree }).stdout), [...plainEntries].sort());
  });

  test('finds what find finds, and with --prefix prints it as find does', (t) => {
    if (!requireTool(t, 'find')) return;
    const tree = treeOf(t, names);
    const expected = run('find', [tree, '-mindepth', '1', '-print0']).split('\0').sort();
    assert.deepEqual(dirfd(['walk', '-0', '--prefix', tree]).stdout.split('\0').sort(), expected);
    assert.deepEqual(
      dirfd(['walk', '-0', '--prefix', `${tree}/`])
        .stdout.split('\0')
        .sort(),
      expected,
    );
  });

  test('writes names as the bytes they are where no terminal reads them', (t) => {
    const tree = treeOf(t, names);
    const found = dirfd(['walk', '-0', '--max-depth=1', join(tree, 'files')])
      .stdout.split('\0')
      .filter(Boolean);
    assert.deepEqual(found.sort(), awkwardNames.map((name) => name.toString('latin1')).sort());
  });

  test('--order=sorted is the order of LC_ALL=C sort', (t) => {
    const tree = treeOf(t, plain);
    const { stdout } = dirfd(['walk', '-o', 'sorted', tree]);
    assert.deepEqual(stdout.split('\n').filter(Boolean), [...plainEntries].sort());
  });

  test('--json gives an object a line, with pathBytes where the name is not UTF-8', (t) => {
    const tree = treeOf(t, names);
    const lines = jsonLines(dirfd(['walk', '--json', '-d1', join(tree, 'files')]).stdout);
    const bytes = lines.map(({ path, pathBytes }) =>
      pathBytes === undefined ? Buffer.from(path as string) : Buffer.from(pathBytes as string, 'base64'),
    );
    assert.deepEqual(bytes.sort(Buffer.compare), [...awkwardNames].sort(Buffer.compare));
    for (const { path, pathBytes } of lines) {
      const exact = awkwardNames.some((name) => name.toString() === path && Buffer.from(path as string).equals(name));
      if (pathBytes === undefined) assert.ok(exact, `${path} needs pathBytes`);
    }
  });

  test('--json tells what the API tells', async (t) => {
    const { walk } = await import('dirfd');
    const tree = treeOf(t, plain);
    const expected = [];
    for await (const entry of walk(tree, { order: 'sorted' })) expected.push(JSON.parse(JSON.stringify(entry)));
    const withoutAtime = (each: object) => ({ ...each, atimeNs: undefined });
    const lines = jsonLines(dirfd(['walk', '--json', '-o', 'sorted', tree]).stdout);
    assert.deepEqual(lines.map(withoutAtime), expected.map(withoutAtime));
  });

  test('--long aligns its columns and tells where links point to', (t) => {
    const tree = treeOf(t, plain);
    chmodSync(join(tree, 'readme.md'), 0o4751);
    const lines = dirfd(['walk', '-l', '-o', 'sorted', tree]).stdout.trimEnd().split('\n');
    assert.equal(lines.length, plainEntries.length);
    const columns = lines.map((line) => line.search(/\d{4}-\d\d-\d\d \d\d:\d\d /));
    assert.equal(new Set(columns).size, 1, lines.join('\n'));
    assert.match(lines.at(-1)!, /^-rwsr-x--x +1 \S+ +\S+ +8 \d{4}-\d\d-\d\d \d\d:\d\d readme\.md$/);
    assert.ok(lines.some((line) => /^lrwxrwxrwx .* link-to-one -> a\/one\.txt$/.test(line)));
    assert.ok(lines.some((line) => /^drwx.* empty$/.test(line)));
  });

  test('--stat gives every field by name', (t) => {
    const tree = treeOf(t, plain);
    const { stdout } = dirfd(['walk', '--stat', '-o', 'sorted', tree]);
    assert.match(stdout, /^kind=file mode=100[0-7]{3} uid=\d+ gid=\d+ nlink=1 size=8 .*mtimeNs=\d+ .* readme\.md$/m);
  });

  test('filters by kind, glob, depth and gitignore', (t) => {
    const tree = treeOf(t, plain);
    writeFileSync(join(tree, '.gitignore'), '*.bin\nempty\n');
    const found = (...args: string[]) => sortedLines(dirfd(['walk', ...args, tree]).stdout);
    assert.deepEqual(found('-t', 'd'), ['a', 'a/b', 'a/b/c', 'empty']);
    assert.deepEqual(found('--kinds=directory,symlink', '-d1'), ['a', 'dangling', 'empty', 'link-to-a', 'link-to-one']);
    assert.deepEqual(found('-i', '*.txt', '--exclude=a'), ['empty.txt', 'one-again.txt']);
    assert.deepEqual(found('-e', 'a/b', '-e', '*.txt', '-t', 'f'), ['.gitignore', 'a/two.bin', 'readme.md']);
    assert.ok(!found('--gitignore').some((path) => path === 'empty' || path.endsWith('.bin')));
    assert.ok(found('--follow', '-t', 'f').includes('link-to-one'));
  });

  test('shows control characters on a terminal only as escapes, and not with -0', (t) => {
    if (!requireTool(t, 'script')) return;
    const tree = treeOf(t, (directory) => {
      writeFileSync(join(directory, 'line\nbreak'), '');
      writeFileSync(join(directory, '\x1b[31mred'), '');
      writeFileSync(Buffer.concat([Buffer.from(`${directory}/`), Buffer.from([0xff])]), '');
    });
    const { stdout } = onTerminal(['walk', '-o', 'sorted', tree]);
    assert.equal(stdout, '\\e[31mred\r\nline\\nbreak\r\n\\xff\r\n');
    assert.ok(onTerminal(['walk', '-0', tree]).stdout.includes('\x1b[31mred\0'));
  });

  test('ends quietly when its reader has enough', async (t) => {
    if (!requireTool(t, 'bash', 'head')) return;
    const tree = treeOf(t, (directory) => wide(directory, 5000));
    const script = `"$0" "$1" walk "$2" | head -n 2; echo "\${PIPESTATUS[0]}"`;
    const { stdout, stderr } = attempt('bash', ['-c', script, process.execPath, command, tree]);
    assert.equal(stderr, '');
    assert.match(stdout, /^[^\n]+\n[^\n]+\n0\n$/);
  });

  test('waits for a slow reader without gathering the tree in memory, and obeys Ctrl-C meanwhile', async (t) => {
    const tree = treeOf(t, (directory) => wide(directory, 5000));
    const child = start(['walk', '--json', tree]);
    await once(child.stdout!, 'readable'); // it has begun, and nobody reads on: the pipe is full
    await new Promise((resume) => setTimeout(resume, 300));
    const asked = performance.now();
    child.kill('SIGINT');
    const [status] = await once(child, 'exit');
    assert.equal(status, 130);
    assert.ok(performance.now() - asked < 1000, 'within a second');
  });

  test('lists what it cannot read, goes on, and ends with 23; or stops with 1', (t) => {
    if (!ordinaryUserCanRun(t)) return;
    const tree = ordinaryDirectory(t);
    mkdirSync(join(tree, 'shut'), { mode: 0o000 });
    writeFileSync(join(tree, 'file'), '');
    const identity = isRoot() ? nobody : {};
    const { status, stdout, stderr } = dirfd(['walk', '-o', 'sorted', tree], identity);
    // An unreadable directory's own line still stands: it could be stat'ed.
    assert.equal(stdout, 'file\nshut\n');
    assert.match(stderr, /^dirfd walk: EACCES: permission denied, \w+ 'shut' in '[^']+'.*\n$/);
    assert.equal(status, 23);
    const stopped = dirfd(['walk', '--on-error=stop', tree], identity);
    assert.equal(stopped.status, 1);
    assert.match(stopped.stderr, /EACCES/);
  });

  test('fails where there is no directory, with the reason', (t) => {
    const tree = treeOf(t, plain);
    const absent = dirfd(['walk', join(tree, 'absent')]);
    assert.equal(absent.status, 1);
    assert.match(absent.stderr, /^dirfd walk: ENOENT: [^\n]+ '[^']+absent'\n$/);
    assert.match(dirfd(['walk', join(tree, 'readme.md')]).stderr, /^dirfd walk: ENOTDIR: /);
  });

  test('takes a DIR whose name is not UTF-8', (t) => {
    const tree = temporaryDirectory(t);
    const odd = Buffer.concat([Buffer.from(`${tree}/`), Buffer.from([0x6f, 0xff, 0x64])]);
    mkdirSync(odd);
    const script = 'exec "$0" "$1" walk --prefix "$2"/o*';
    writeFileSync(Buffer.concat([odd, Buffer.from('/inside')]), '');
    const { stdout, stderr } = attempt('sh', ['-c', script, process.execPath, command, tree]);
    assert.equal(stderr, '');
    assert.equal(stdout, `${odd.toString('latin1')}/inside\n`);
  });

  test('refuses wrong values with the right ones', () => {
    const cases: [string[], RegExp][] = [
      [['--order=up'], /any, breadth, depth, sorted/],
      [['--kinds=folder'], /file, directory, symlink/],
      [['--include='], /--include.*must not be empty/],
      [['--exclude=node_modules/'], /'node_modules\/' is invalid.* would match nothing/],
      [['--long', '--json'], /'-l, --long' cannot be used with option '--json'/],
      [['--stat', '--json'], /'--stat' cannot be used with option '--json'/],
      [['--max-depth=0'], /whole number of 1|whole number from 1/],
      [['--concurrency=many'], /whole number from 1 to 64/],
    ];
    for (const [args, message] of cases) {
      const { status, stdout, stderr } = dirfd(['walk', ...args]);
      assert.deepEqual([status, stdout], [2, '']);
      assert.match(stderr, message);
    }
  });

  test('needs neither standard input nor a readable working directory', (t) => {
    const tree = treeOf(t, plain);
    symlinkSync(tree, join(tree, 'self'));
    const { status } = dirfd(['walk', tree], { stdio: ['ignore', 'pipe', 'pipe'], cwd: '/' });
    assert.equal(status, 0);
  });
});
