// gitignore: what a walk leaves out is what git leaves out.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { attempt, run } from '../fixtures/command.js';
import { repositoryRoot } from '../fixtures/repository.js';
import { temporaryDirectory } from '../fixtures/temporary.js';
import { requireTool } from '../fixtures/tools.js';
import { pathsOf } from './listing.js';

/** Without the caller's own git configuration, which a walk does not read either. */
const environment = {
  ...process.env,
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_SYSTEM: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
};

function filled(t: TestContext, files: Record<string, string>): string {
  const root = temporaryDirectory(t);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  run('git', ['init', '-q'], { cwd: root, env: environment });
  return root;
}

/** Every file that git would add. */
function gitFiles(root: string): string[] {
  const listed = run('git', ['ls-files', '-z', '--others', '--cached', '--exclude-standard'], {
    cwd: root,
    env: environment,
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

test('this repository is walked as git lists it', async (t) => {
  if (!requireTool(t, 'git')) return;
  if (attempt('git', ['rev-parse'], { cwd: repositoryRoot, env: environment }).status !== 0) {
    t.skip('this copy of the sources is no git checkout');
    return;
  }
  const exclude = run('git', ['rev-parse', '--git-path', 'info/exclude'], { cwd: repositoryRoot, env: environment });
  assert.ok(exclude);
  const listed = gitFiles(repositoryRoot).filter((path) => !path.startsWith('"'));
  const walked = new Set(await walkFiles(repositoryRoot, 'any'));
  assert.deepEqual(
    listed.filter((path) => !walked.has(path)),
    [],
    'everything that git lists is walked',
  );
  const ignored = [...walked].filter((path) => path !== '.git' && !listed.includes(path));
  assert.deepEqual(ignored, [], 'nothing else is');
});
