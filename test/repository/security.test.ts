// docs/security.md names the test behind each claim. A claim whose test was renamed or removed is a claim without proof.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

/** Every test that the document names, with its file: `file`: “name”, “name”. */
function named(document: string): [file: string, name: string][] {
  const text = document.replace(/\s+/g, ' ');
  return [...text.matchAll(/`(test\/[^`]+\.test\.ts)`([^`]*)/g)].flatMap(([, file, after]) =>
    [...after!.matchAll(/“([^”]+)”/g)].map(([, name]): [string, string] => [file!, name!]),
  );
}

/** The names of tests in a source file, as they are written there: a template keeps its ${…}. */
function testsOf(source: string): Set<string> {
  return new Set([...source.matchAll(/\b(?:test|it)\(\s*(['"`])(.+?)\1,/gs)].map(([, , name]) => name!));
}

test('docs/security.md names only tests that exist', () => {
  const found = named(readFileSync('docs/security.md', 'utf8'));
  assert.ok(found.length > 20, `only ${found.length} tests are named`);
  const missing = found.filter(
    ([file, name]) => !existsSync(file) || !testsOf(readFileSync(file, 'utf8')).has(name.replaceAll('\\', '')),
  );
  assert.deepEqual(missing, []);
});

test('docs/security.md names a test for each of the ten goals', () => {
  const [, text = ''] = readFileSync('docs/security.md', 'utf8').split('\n## Ten goals\n');
  const [goals = ''] = text.split('\n## ');
  const sections = goals.split(/^(?=\d+\. \*\*)/m).slice(1);
  assert.deepEqual(
    sections.map((section) => section.split('.')[0]),
    ['1', '2', '3', '4', '5', '6', '7', '8', '9', '10'],
  );
  const without = sections.filter((section) => named(section).length === 0);
  assert.deepEqual(without, []);
});

test('every file that docs/security.md speaks of is there', () => {
  const files = [...readFileSync('docs/security.md', 'utf8').matchAll(/`((?:test|native|lib)\/[\w./-]+)`/g)];
  const missing = files.map(([, file]) => file!).filter((file) => !existsSync(file));
  assert.deepEqual(missing, []);
});
