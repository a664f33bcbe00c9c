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

test('docs/security.md tells of each of the ten goals', () => {
  const goals = [...readFileSync('docs/security.md', 'utf8').matchAll(/^(\d+)\. \*\*/gm)].map(([, number]) => number);
  assert.deepEqual(goals, ['1', '2', '3', '4', '5', '6', '7', '8', '9', '10']);
});
