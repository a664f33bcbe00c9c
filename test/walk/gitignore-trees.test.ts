// gitignore: whole projects as they are found on disks, with what their builds leave behind, are walked as git lists them.
//
//   DIRFD_TEST_GIT_TREES   further directories to compare, separated by colons
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import test from 'node:test';
import { repositoryRoot } from '../fixtures/repository.js';
import { temporaryDirectory } from '../fixtures/temporary.js';
import { requireTool } from '../fixtures/tools.js';
import { emptyRepository, everyPath, walkedAsGitWould } from './git.js';
import { pathsOf } from './listing.js';

interface Project {
  /** By directory. */
  readonly rules: Readonly<Record<string, readonly string[]>>;
  /** Made empty. */
  readonly files: readonly string[];
}

/** Rules in the manner of well-known projects and templates. */
const projects: Record<string, Project> = {
  'a workspace of JavaScript packages': {
    rules: {
      '': [
        '# dependencies',
        'node_modules/',
        '',
        '/.pnp.*',
        '.yarn/*',
        '!.yarn/patches',
        '!.yarn/releases',
        'dist',
        '*.tsbuildinfo',
        '.env*',
        '!.env.example',
        'npm-debug.log*',
        '/packages/*/lib/',
        '!/packages/native/lib/',
        '.vscode/*',
        '!.vscode/settings.json',
        '**/coverage',
      ],
      'packages/app': ['/public/build', '!/public/build/manifest.json', '*.local'],
      'packages/native': ['build/', 'lib/*.node', '!lib/prebuilt.node'],
      'packages/docs': ['*', '!*.md', '!*/', '!.gitignore', 'drafts/'],
    },
    files: [
      'package.json',
      'node_modules/a/index.js',
      'node_modules/a/node_modules/b/index.js',
      '.pnp.cjs',
      'sub/.pnp.cjs',
      '.yarn/cache/x.zip',
      '.yarn/patches/p.patch',
      '.yarn/releases/yarn.cjs',
      'dist',
      'packages/app/dist/main.js',
      'packages/app/src/dist.ts',
      'a.tsbuildinfo',
      '.env',
      '.env.local',
      '.env.example',
      'packages/app/.env.example',
      'npm-debug.log',
      'npm-debug.log.1',
      'packages/app/lib/a.js',
      'packages/native/lib/a.js',
      'packages/native/lib/a.node',
      'packages/native/lib/prebuilt.node',
      'packages/native/build/Release/a.node',
      'packages/app/public/build/main.js',
      'packages/app/public/build/manifest.json',
      'packages/app/public/index.html',
      'packages/app/x.local',
      '.vscode/settings.json',
      '.vscode/launch.json',
      'packages/app/.vscode/launch.json',
      'coverage/lcov.info',
      'packages/app/coverage/x',
      'packages/docs/a.md',
      'packages/docs/a.png',
      'packages/docs/deep/b.md',
      'packages/docs/deep/b.png',
      'packages/docs/drafts/c.md',
    ],
  },
  'a Python package with notebooks and extensions': {
    rules: {
      '': [
        '__pycache__/',
        '*.py[cod]',
        '*$py.class',
        '*.so',
        '.Python',
        'build/',
        'dist/',
        'lib/',
        '*.egg-info/',
        '.coverage.*',
        '*,cover',
        'docs/_build/',
        '.ipynb_checkpoints',
        '.env',
        '[Vv]env*/',
        '*.log',
        '!important.log',
        'data/**',
        '!data/**/',
        '!data/**/*.csv',
        '\\#*\\#',
        '*~',
        ' ',
      ],
      'src/pkg': ['*.c', '!_core.c'],
      tests: ['output-[0-9]*', '!output-0', '*.tmp\\ '],
    },
    files: [
      'setup.py',
      'src/pkg/__init__.py',
      'src/pkg/__init__.pyc',
      'src/pkg/__pycache__/x.cpython.pyc',
      'src/pkg/a$py.class',
      'src/pkg/_core.c',
      'src/pkg/_gen.c',
      'src/pkg/_core.so',
      'build/lib/a.py',
      'src/lib/a.py',
      'pkg.egg-info/PKG-INFO',
      '.coverage',
      '.coverage.host',
      'a,cover',
      'docs/_build/index.html',
      'docs/index.rst',
      'src/docs/_build/x',
      'nb/.ipynb_checkpoints/a.ipynb',
      'nb/a.ipynb',
      '.env',
      'Venv3/bin/python',
      'venv/bin/python',
      'avenv/x',
      'a.log',
      'important.log',
      'logs/important.log',
      'data/raw/a.csv',
      'data/raw/deep/b.csv',
      'data/raw/a.bin',
      'data/c.csv',
      'sub/data/a.bin',
      '#a#',
      'b~',
      'tests/output-0',
      'tests/output-1',
      'tests/output-12',
      'tests/output-x',
      'tests/a.tmp',
      'tests/a.tmp ',
    ],
  },
  'a solution of C# and C++ with generated files': {
    rules: {
      '': [
        '## generated',
        '*.user',
        '[Dd]ebug/',
        '[Rr]elease/',
        'x64/',
        '[Bb]in/',
        '[Oo]bj/',
        'Generated\\ Files/',
        '[Tt]est[Rr]esult*/',
        '*_i.c',
        '*.pch',
        '*.tmp',
        '*.cache',
        '!?*.[Cc]ache/',
        '**/[Pp]ackages/*',
        '!**/[Pp]ackages/build/',
        'DocProject/Help/*.HxT',
        '~$*',
        '.axoCover/*',
        '!.axoCover/settings.json',
        '**/*.Server/GeneratedArtifacts',
        '*- [Bb]ackup ([0-9]).rdl',
        '$tf/',
        '/out*/**/gen-?.h',
      ],
      App: ['!bin/', 'bin/*', '!bin/tool.exe'],
      'Lib/src': ['/*.o', '*.d/', '!keep.d/', '**/moc_*'],
    },
    files: [
      'a.sln',
      'a.user',
      'Debug/a',
      'App/debug/a',
      'App/DEBUG/a',
      'App/bin/tool.exe',
      'App/bin/other.exe',
      'Lib/Bin/x',
      'Lib/obj/x',
      'Generated Files/a.h',
      'GeneratedFiles/a.h',
      'TestResults/a',
      'testresult',
      'a_i.c',
      'a.pch',
      'a.cache',
      'my.Cache/a',
      'my.cache/a',
      'packages/a/x',
      'packages/build/x',
      'Lib/Packages/b/x',
      'Lib/Packages/build/y',
      'DocProject/Help/a.HxT',
      'DocProject/Help/sub/a.HxT',
      '~$a.docx',
      '.axoCover/a',
      '.axoCover/settings.json',
      'x.Server/GeneratedArtifacts/a',
      'Lib/y.Server/GeneratedArtifacts',
      'a - Backup (1).rdl',
      'a- backup (2).rdl',
      '$tf/a',
      'out/gen-a.h',
      'out2/x/y/gen-b.h',
      'out/gen-ab.h',
      'Lib/out/gen-a.h',
      'Lib/src/a.o',
      'Lib/src/sub/a.o',
      'Lib/src/a.d/x',
      'Lib/src/keep.d/x',
      'Lib/src/b.d',
      'Lib/src/q/w/moc_x.cpp',
    ],
  },
};

for (const [name, { rules, files }] of Object.entries(projects)) {
  test(`${name} is walked as git lists it`, async (t) => {
    if (!requireTool(t, 'git')) return;
    const root = temporaryDirectory(t);
    const write = (path: string, content: string) => {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), content);
    };
    for (const file of files) write(file, '');
    for (const [directory, lines] of Object.entries(rules))
      write(join(directory, '.gitignore'), `${lines.join('\n')}\n`);
    const ignored = await compare(root, emptyRepository(t));
    assert.ok(ignored > files.length / 3, `only ${ignored} entries were ignored`);
  });
}

const found = (process.env.DIRFD_TEST_GIT_TREES ?? '').split(':').filter((path) => path !== '');
for (const root of [repositoryRoot, ...found]) {
  test(`${basename(root)} is walked as git lists it, with all that lies about in it`, async (t) => {
    if (!requireTool(t, 'git')) return;
    const ignored = await compare(root, emptyRepository(t));
    t.diagnostic(`${ignored} entries ignored`);
  });
}

/** @returns how many entries are ignored */
async function compare(root: string, repository: string): Promise<number> {
  const expected = walkedAsGitWould(repository, root);
  for (const order of ['any', 'sorted'] as const) {
    const walked = new Set(await pathsOf(root, { gitignore: true, order }));
    assert.deepEqual(
      expected.filter((path) => !walked.has(path)),
      [],
      'git lists them',
    );
    const listed = new Set(expected);
    assert.deepEqual(
      [...walked].filter((path) => !listed.has(path)),
      [],
      'git ignores them',
    );
  }
  return everyPath(root).length - expected.length;
}
