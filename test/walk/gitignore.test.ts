// gitignore: what a walk leaves out is what git leaves out.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { walk } from 'dirfd';
import { run } from '../fixtures/command.js';
import { temporaryDirectory } from '../fixtures/temporary.js';
import { requireTool } from '../fixtures/tools.js';
import { emptyRepository, gitEnvironment, walkedAsGitWould } from './git.js';
import { pathsOf } from './listing.js';

function filled(t: TestContext, files: Record<string, string>): string {
  const root = temporaryDirectory(t);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  run('git', ['init', '-q'], { cwd: root, env: gitEnvironment });
  return root;
}

/** Every file that git would add. */
function gitFiles(root: string): string[] {
  const listed = run('git', ['ls-files', '-z', '--others', '--cached', '--exclude-standard'], {
    cwd: root,
    env: gitEnvironment,
  });
  return [...new Set(listed.split('\0').filter((path) => path !== ''))].sort();
}

async function walkFiles(root: string, order: 'any' | 'sorted'): Promise<string[]> {
  return (await pathsOf(root, { gitignore: true, order, kinds: ['file', 'symlink'] })).sort();
}

const cases: Record<string, Record<string, string>> = {
  'names, globs and directories': {
    '.gitignore': '*.log\nbuild/\n/only-here\n# a comment\n\nsp ace\\ \ntrailing   \n',
    'a.log': '',
    'a/b.log': '',
    'build/x': '',
    'a/build/x': '',
    'a/build.txt': '',
    'only-here': '',
    'a/only-here': '',
    'sp ace ': '',
    trailing: '',
    '# a comment': '',
  },
  'negations, and what they cannot take back': {
    '.gitignore': '*.txt\n!keep.txt\nout/\n!out/keep.txt\n/dir/*\n!/dir/kept\n',
    'a.txt': '',
    'keep.txt': '',
    'sub/keep.txt': '',
    'out/keep.txt': '',
    'dir/lost': '',
    'dir/kept': '',
  },
  'files at every level, the deeper ones after': {
    '.gitignore': '*.d\n*.tmp\n',
    'a/.gitignore': '!x.d\n!keep.tmp\n/rooted\nsub/deep\n',
    'a/x.d/file': '',
    'a/y.d/file': '',
    'x.d/file': '',
    'a/keep.tmp': '',
    'a/b/keep.tmp': '',
    'a/b/.gitignore': 'keep.tmp\n*.only\n',
    'a/rooted': '',
    'a/b/rooted': '',
    'a/sub/deep': '',
    'a/b/sub/deep': '',
    'a/b/x.only': '',
    'a/x.only': '',
  },
  'double stars, classes, escapes, cases': {
    '.gitignore': '**/logs\na/**/z\ndeep/**\n[abc].c\n[!x].h\n\\#hash\n\\!bang\nUPPER\n*.o?\n',
    'logs/a': '',
    'x/logs/b': '',
    'a/z': '',
    'a/m/n/z': '',
    'deep/er/file': '',
    'a.c': '',
    'd.c': '',
    'x.h': '',
    'y.h': '',
    '#hash': '',
    '!bang': '',
    upper: '',
    UPPER: '',
    'f.o1': '',
    'f.o': '',
  },
  'rules of a directory whose own name is a pattern': {
    '[ab]*/.gitignore': 'ignored\n/here\n',
    '[ab]*/ignored': '',
    '[ab]*/here': '',
    '[ab]*/kept': '',
    'ab/ignored': '',
    'a/here': '',
  },
  'backslashes and spaces at the end': {
    '.gitignore': 'a\\\nb\\\\\nc\\ \nd\\  \ne\\\\ \n \n\n/\n!\n\\f\n',
    'a\\': '',
    'b\\': '',
    'c ': '',
    'd ': '',
    'd  ': '',
    'e\\': '',
    f: '',
    ' ': '',
  },
  'classes of every sort': {
    '.gitignore': '[[:upper:]]1\n[^a-c]2\n[]-]3\n[\\]]4\n[a5\n[[:what:]]6\n[!/]7\n',
    ...Object.fromEntries(
      ['A1', 'a1', 'd2', 'a2', ']3', '-3', ']4', 'a4', '[a5', 'a5', 'a6', '[6', 'a7'].map((name) => [name, '']),
    ),
  },
  'directories whose content is taken back': {
    '.gitignore': '/*\n!/src/\n/src/*\n!/src/lib/\n!*.md\n',
    'readme.md': '',
    'other/readme.md': '',
    'src/a': '',
    'src/b.md': '',
    'src/lib/c': '',
    'src/lib/d/e': '',
  },
  'a byte order mark, CRLF and no newline at the end': {
    '.gitignore': '\ufefffirst\r\nsecond\r\nthird',
    first: '',
    second: '',
    third: '',
    fourth: '',
  },
};

for (const [name, files] of Object.entries(cases)) {
  test(`gitignore: ${name}`, async (t) => {
    if (!requireTool(t, 'git')) return;
    const root = filled(t, files);
    for (const order of ['any', 'sorted'] as const)
      assert.deepEqual(await walkFiles(root, order), gitFiles(root), order);
  });
}

test('a .gitignore that is a symlink, a directory or a FIFO is no ignore file', async (t) => {
  if (!requireTool(t, 'git')) return;
  const root = filled(t, { rules: '*\n', 'link/file': '', 'directory/.gitignore/file': '', 'fifo/file': '' });
  symlinkSync('../rules', join(root, 'link', '.gitignore'));
  run('mkfifo', [join(root, 'fifo', '.gitignore')]);
  const found = await walkFiles(root, 'any');
  assert.deepEqual(found, ['directory/.gitignore/file', 'fifo/file', 'link/.gitignore', 'link/file', 'rules']);
});

test('patterns and names are bytes', async (t) => {
  if (!requireTool(t, 'git')) return;
  const root = temporaryDirectory(t);
  const write = (path: string, content = '') =>
    writeFileSync(Buffer.from(`${root}/${path}`, 'latin1'), Buffer.from(content, 'latin1'));
  // As text both directories are called U+FFFD; each has rules of its own.
  for (const directory of ['\xfe', '\xff']) {
    mkdirSync(Buffer.from(`${root}/${directory}`, 'latin1'));
    for (const name of ['one', 'two', '\xe9']) write(`${directory}/${name}`);
  }
  write('\xfe/.gitignore', 'one\n');
  write('\xff/.gitignore', 'two\n\xe9\n');
  // An e with an accent is two bytes, of which "?" matches one.
  for (const name of ['caf\xc3\xa9', '1\xc3\xa9', '2\xc3\xa9']) write(name);
  write('.gitignore', 'caf\xc3\xa9\n1?\n2??\n');
  const found = (await pathsOf(root, { gitignore: true })).sort();
  assert.deepEqual(found, walkedAsGitWould(emptyRepository(t), root));
  assert.deepEqual(
    found.filter((path) => path.startsWith('\xff')),
    ['\xff', '\xff/.gitignore', '\xff/one'],
  );
});

test('stars that are no component of their own match no slash, as gitignore(5) says and git does since 2.52', async (t) => {
  const root = filled(t, { '.gitignore': 'a**/b\n', ab: '', 'ax/b': '', 'ax/y/b': '' });
  assert.deepEqual(await walkFiles(root, 'any'), ['.gitignore', 'ab', 'ax/y/b']);
});

test('what is called .git is left out, whatever it is and wherever it lies; another repository below is entered', async (t) => {
  const root = filled(t, {
    '.gitignore': '*.o\n',
    'sub/.git/HEAD': 'ref: refs/heads/main\n',
    'sub/a.o': '',
    'sub/a.c': '',
    'worktree/.git': 'gitdir: /elsewhere\n',
    'worktree/b.c': '',
  });
  assert.deepEqual(await walkFiles(root, 'any'), ['.gitignore', 'sub/a.c', 'worktree/b.c']);
});

test('neither info/exclude nor the ignore files above the root are read', async (t) => {
  const root = filled(t, { '.gitignore': 'sub/x\n', 'sub/x': '', 'sub/y': '', y: '' });
  writeFileSync(join(root, '.git', 'info', 'exclude'), 'y\n');
  assert.deepEqual(await walkFiles(root, 'any'), ['.gitignore', 'sub/y', 'y']);
  assert.deepEqual(await walkFiles(join(root, 'sub'), 'any'), ['x', 'y']);
});

test('an ignore file that cannot be read, or is too large to be one, is an error and not an empty one', async (t) => {
  const root = filled(t, { '.gitignore': `${'#'.repeat(1024 * 1024)}\nx\n`, x: '' });
  const errors: string[] = [];
  for await (const _ of walk(root, { gitignore: true, onError: ({ code, path }) => errors.push(`${code} ${path}`) }));
  assert.deepEqual(errors, ['EFBIG .gitignore']);
});

test('a spiteful pattern costs no more than others', async (t) => {
  const root = filled(t, {
    '.gitignore': `${'*a'.repeat(60)}b\n${'**/*a*a/'.repeat(20)}b\n/**/${'[a]*'.repeat(60)}b\n`,
    [`${'a/'.repeat(40)}${'a'.repeat(250)}`]: '',
    ['a'.repeat(250)]: '',
  });
  const started = performance.now();
  assert.equal((await pathsOf(root, { gitignore: true })).length, 43);
  assert.ok(performance.now() - started < 2000);
});

test('every order, and leave events, leave out the same', async (t) => {
  const root = filled(t, {
    '.gitignore': 'out/\n*.o\n!keep.o\n',
    'a/out/x': '',
    'a/b/.gitignore': '*\n!*/\n!*.c\n',
    'a/b/x.c': '',
    'a/b/x.d': '',
    'a/b/c/y.c': '',
    'keep.o': '',
    'lost.o': '',
  });
  const expected = ['.gitignore', 'a', 'a/b', 'a/b/c', 'a/b/c/y.c', 'a/b/x.c', 'keep.o'];
  for (const order of ['any', 'breadth', 'depth', 'sorted'] as const)
    assert.deepEqual((await pathsOf(root, { gitignore: true, order })).sort(), expected, order);
  const left = await pathsOf(root, { gitignore: true, order: 'sorted', leave: true });
  assert.deepEqual(
    left.filter((path) => path.startsWith('leave ')),
    ['leave a/b/c', 'leave a/b', 'leave a'],
  );
});
