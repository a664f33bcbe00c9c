// docs/copy.md: what it shows runs, and prints what it says.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { attempt } from '../fixtures/command.js';
import { importable } from '../fixtures/ordinary-user.js';
import { repositoryRoot } from '../fixtures/repository.js';
import { temporaryDirectory } from '../fixtures/temporary.js';
import { project } from '../fixtures/trees.js';

test('the examples of the guide run one after the other', (t) => {
  const path = temporaryDirectory(t);
  mkdirSync(join(path, 'project'));
  project(join(path, 'project'), 3);
  const guide = readFileSync(join(repositoryRoot, 'docs/copy.md'), 'utf8');
  const examples = [...guide.matchAll(/^```js\n(.*?)^```$/gms)].map(([, code]) => code);
  writeFileSync(join(path, 'guide.mjs'), importable(examples.join('\n')));
  const ran = attempt(process.execPath, ['guide.mjs'], { cwd: path });
  assert.equal(ran.status, 0, ran.stderr);
  const lines = ran.stdout.trim().split('\n');
  assert.equal(lines[0], '27 0');
  assert.deepEqual(lines.slice(-3), ['0 true', 'true []', 'true']);
  assert.equal(existsSync(join(path, 'copy')), false);
});
