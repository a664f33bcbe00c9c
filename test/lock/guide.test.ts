// docs/lock.md: what it shows runs.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { attempt } from '../fixtures/command.js';
import { repositoryRoot } from '../fixtures/repository.js';
import { temporaryDirectory } from '../fixtures/temporary.js';

/** Those of the examples that are programs, in their order. */
function examples(): string[] {
  const guide = readFileSync(join(repositoryRoot, 'docs/lock.md'), 'utf8');
  const entry = pathToFileURL(join(repositoryRoot, 'dist/lock/main.js')).href;
  return [...guide.matchAll(/^```js\n(import .*?)^```$/gms)].map(([, text = '']) => text.replace('dirfd/lock', entry));
}

const PRINTED = [
  /^alone: exclusive\nheld by pid \d+\ntogether: customer-17 customer-4\n$/,
  /^write 1 true\nAlreadyLockedError\nfalse true\n$/,
];

test('the examples of the guide run', (t) => {
  const path = temporaryDirectory(t);
  mkdirSync(join(path, 'state'));
  assert.equal(examples().length, PRINTED.length);
  for (const [index, script] of examples().entries()) {
    const ran = attempt(process.execPath, ['--input-type=module', '-e', script], { cwd: path });
    assert.equal(ran.status, 0, ran.stderr);
    assert.match(ran.stdout, PRINTED[index] as RegExp);
  }
});
