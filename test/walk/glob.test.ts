// include and exclude: what they report is what picomatch matches in the list of all paths, whatever directories the walk left unopened.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test from 'node:test';
import { walk } from 'dirfd';
import * as fc from 'fast-check';
import picomatch from 'picomatch';
import { temporaryDirectory } from '../fixtures/temporary.js';

/** With names that mean something in a glob. */
const files = [
  ...[
    'a/b/c/x.txt',
    'a/b/d.txt',
    'a/.h/x',
    '.dot/a/b',
    'b/a/b/c',
    'ab/abc',
    'a b/c',
    'x.txt',
    'a.b/c.d',
    'ba/!b/c',
    'a/b/!c',
  ],
  ...[
    '{a,b}/c',
    '(a)/b',
    '!a/b',
    '[a]/b',
    'a*/b',
    '+a/x',
    '@a/b',
    'a\\b/c',
    'é/a',
    '..a/b',
    '...',
    '$a/b',
    '^a/b',
    'a|b/c',
    '1/2',
  ],
  ...['a\nb/c/x.txt', 'a/b\nc', '-a/b'],
];

function odd(root: string): string {
  for (const file of files) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), '');
  }
  return root;
}

/** As docs/walk.md has it: a glob without a slash is matched with the name, dots are ordinary. */
function matcher(globs: readonly string[]): (path: string) => boolean {
  const all = globs.map((glob) => picomatch(glob, { dot: true, basename: !glob.includes('/'), flags: 's' }));
  return (path) => all.some((matches) => matches(path));
}

const piece = fc.constantFrom(
  ...[
    'a',
    'b',
    'c',
    'ab',
    'x.txt',
    '.dot',
    'é',
    '\n',
    '"',
    '-',
    '*',
    '**',
    '?',
    '.',
    '/',
    '/',
    '/',
    '*.txt',
    './',
    '../',
    '//',
  ],
  ...[
    '{a,b}',
    '{a,b/c}',
    '{1..2}',
    '(a|b)',
    '@(a)',
    '!(a)',
    '+(a)',
    '?(a)',
    '*(a)',
    '[ab]',
    '[!a]',
    '[[:alpha:]]',
    '\\a',
    '\\*',
  ],
  ...['!', '\\', '{', '}', '(', ')', '[', ']', ',', '|', '^', '$'],
);
const glob = fc
  .array(piece, { minLength: 1, maxLength: 6 })
  .map((pieces) => pieces.join(''))
  .filter((pattern) => isGlob(pattern));

function isGlob(pattern: string): boolean {
  if (/^\/|\/$/.test(pattern)) return false; // refused, see options.test.ts
  try {
    return picomatch(pattern) !== undefined;
  } catch {
    return false;
  }
}

async function walked(root: string, options: object): Promise<string[]> {
  const paths: string[] = [];
  for await (const { path } of walk(root, options)) paths.push(path);
  return paths.sort();
}

test('globs drawn at random include what picomatch matches, and exclude that and all below it', async (t) => {
  const root = odd(temporaryDirectory(t));
  const all = await walked(root, {});
  const ancestors = (path: string) => path.split('/').map((_, index, parts) => parts.slice(0, index + 1).join('/'));
  let included = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(glob, { minLength: 1, maxLength: 2 }), async (globs) => {
      const matches = matcher(globs);
      const expected = all.filter(matches);
      assert.deepEqual(await walked(root, { include: globs }), expected);
      assert.deepEqual(
        await walked(root, { exclude: globs }),
        all.filter((path) => !ancestors(path).some(matches)),
      );
      if (expected.length > 0) included++;
    }),
    { numRuns: 300 },
  );
  assert.ok(included > 50, `${included} of 300 globs matched anything`);
});

test('a newline in a name hides nothing from a glob', async (t) => {
  const root = odd(temporaryDirectory(t));
  assert.deepEqual(await walked(root, { include: '**/x.txt' }), ['a\nb/c/x.txt', 'a/b/c/x.txt', 'x.txt'].sort());
  assert.ok(!(await walked(root, { exclude: '**/c/**' })).some((path) => path.startsWith('a\nb/c')));
});
