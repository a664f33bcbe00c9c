// gitignore: rules and names drawn at random are read as git reads them.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import * as fc from 'fast-check';
import { temporaryDirectory } from '../fixtures/temporary.js';
import { requireTool } from '../fixtures/tools.js';
import { emptyRepository, everyPath, walkedAsGitWould } from './git.js';
import { pathsOf } from './listing.js';

/** Latin1: a character a byte. Few letters, so that patterns meet names; every byte that means something in a pattern. */
const names = [
  ...['a', 'b', 'ab', 'abc', 'A', 'a.b', '.a', 'a ', ' a', 'a b', '!a', '#a', '[ab]', 'a*', 'a\\', '\\', '*', '?'],
  ...['-', ']', '^', 'a\xff', '\xc3\xa9', '\xe9', 'a\n', '\ta', 'a\r', '9', '[', ':', 'a]'],
];
const latin1 = (text: string) => Buffer.from(text, 'latin1');

const literals = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('a', 'b', 'ab', 'c', '.', 'A') },
  fc.constantFrom(
    ' ',
    '\\ ',
    '!',
    '#',
    '\\!',
    '\\#',
    '\\a',
    '\\*',
    '\\\\',
    '\\[',
    '\\',
    '-',
    ']',
    '\xff',
    '\xc3\xa9',
    '\t',
    '\r',
    '9',
    ':',
  ),
);
const classes = fc.oneof(
  fc.constantFrom(
    '[ab]',
    '[!a]',
    '[^a]',
    '[a-b]',
    '[]]',
    '[!]a]',
    '[]-a]',
    '[\\]]',
    '[a-]',
    '[-a]',
    '[b-a]',
    '[a\\-b]',
    '[[]',
    '[',
  ),
  fc.constantFrom(
    '[a',
    '[]',
    '[!]',
    '[a/b]',
    '[/]',
    '[!/]',
    '[+--]',
    '[\\',
    '[a-\\b]',
    '[\xc3]',
    '[\x80-\xff]',
    '[[-a]',
    '[[:]',
    '[[:a]',
  ),
  fc
    .constantFrom(
      'alpha',
      'digit',
      'alnum',
      'upper',
      'lower',
      'space',
      'blank',
      'punct',
      'cntrl',
      'graph',
      'print',
      'xdigit',
      'none',
    )
    .map((kind) => `[[:${kind}:]]`),
  fc
    .array(fc.constantFrom('a', 'b', '-', ']', '[', '!', '^', '\\', '/', ':', '[:alpha:]', '\xff'), { maxLength: 4 })
    .map((parts) => `[${parts.join('')}]`),
);
const piece = fc.oneof(
  { weight: 5, arbitrary: literals },
  { weight: 2, arbitrary: fc.constantFrom('*', '?', '*', '**', '***') },
  classes,
);
const component = fc.oneof(
  { weight: 4, arbitrary: fc.array(piece, { minLength: 1, maxLength: 3 }).map((pieces) => pieces.join('')) },
  { weight: 1, arbitrary: fc.constantFrom('**', '*', '***', '') },
  { weight: 2, arbitrary: fc.constantFrom(...names) },
);
const line = fc
  .tuple(
    fc.constantFrom('', '', '', '', '!', '!', '#', ' '),
    fc.constantFrom('', '', '', '/', '\\/'),
    fc.array(component, { minLength: 1, maxLength: 3 }).map((components) => components.join('/')),
    fc.constantFrom('', '', '', '/', '/**', '\\/'),
    fc.constantFrom('', '', '', '', ' ', '  ', '\\ ', '\\  ', '\t', '\r', '\\', '\0a'),
  )
  .map((parts) => parts.join(''))
  // git before 2.52 cuts off what comes before the first wildcard, and so takes the stars of "a**/b" for a component of their own.
  .filter((pattern) => !/[^/]\*\*+\\?\//.test(pattern) && !/^[^*?[\\]*\/[^*?[\\]*[^/]\*\*/.test(pattern));
const rules = fc
  .tuple(
    fc.constantFrom('', '', '', '\xef\xbb\xbf'),
    fc.array(line, { minLength: 1, maxLength: 5 }),
    fc.constantFrom('\n', '\r\n'),
  )
  .map(([mark, lines, end]) => mark + lines.join(end));

/** Made once: directories, and every name in each of them. Only the rules change. */
const directories = ['', 'a', 'ab', '[ab]', 'a/a', 'a/b', 'ab/a', 'a/b/ab'];

function createTree(root: string): number {
  for (const directory of directories) mkdirSync(join(root, directory), { recursive: true });
  const files = directories.flatMap((directory) => names.map((file) => `${directory}/${file}`));
  for (const file of files) {
    if (!directories.includes(file.replace(/^\//, ''))) writeFileSync(latin1(`${root}/${file}`), '');
  }
  return everyPath(root).length;
}

test('rules drawn at random leave out what git ignores', async (t) => {
  if (!requireTool(t, 'git')) return;
  const repository = emptyRepository(t);
  const root = temporaryDirectory(t);
  const entries = createTree(root);
  const ruleFiles = fc.uniqueArray(fc.tuple(fc.constantFrom(...directories.slice(0, 6)), rules), {
    minLength: 1,
    maxLength: 4,
    selector: ([directory]) => directory,
  });
  const numRuns = Number(process.env.DIRFD_TEST_RUNS ?? 300);
  let ignored = 0;
  await fc.assert(
    fc.asyncProperty(ruleFiles, async (drawn) => {
      const files = drawn.map(([directory, text]) => ({ path: join(root, directory, '.gitignore'), text }));
      for (const { path, text } of files) writeFileSync(path, latin1(text));
      try {
        const walked = (await pathsOf(root, { gitignore: true })).sort();
        assert.deepEqual(walked, walkedAsGitWould(repository, root));
        ignored += entries + files.length - walked.length;
      } finally {
        for (const { path } of files) rmSync(path);
      }
    }),
    { numRuns },
  );
  const share = ignored / entries / numRuns;
  t.diagnostic(`${numRuns} sets of rules, which ignore ${(share * 100).toFixed(0)} % of ${entries} entries`);
  assert.ok(share > 0.03 && share < 0.9, 'they match something, and not everything');
});
