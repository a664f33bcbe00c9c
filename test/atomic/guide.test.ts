// docs/atomic.md: what it shows runs.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { attempt } from '../fixtures/command.js';
import { importable } from '../fixtures/ordinary-user.js';
import { repositoryRoot } from '../fixtures/repository.js';
import { temporaryDirectory } from '../fixtures/temporary.js';

test('the examples of the guide run one after the other', (t) => {
  const path = temporaryDirectory(t);
  const guide = readFileSync(join(repositoryRoot, 'docs/atomic.md'), 'utf8');
  const examples = [...guide.matchAll(/^```js\n(.*?)^```$/gms)].map(([, code]) => code).join('\n');
  const atomic = new URL('dist/atomic/main.js', `file://${repositoryRoot}/`).href;
  writeFileSync(join(path, 'guide.mjs'), importable(examples.replace("'dirfd/atomic'", `'${atomic}'`)));
  const ran = attempt(process.execPath, ['guide.mjs'], { cwd: path });
  assert.equal(ran.status, 0, ran.stderr);
  assert.equal(ran.stdout, '18 64\nConflictError\n/port\n');
  const names = ['all.yaml', 'copy.yaml', 'counter.json', 'guide.mjs', 'report.csv', 'settings.json', 'state.txt.1.gz'];
  assert.deepEqual(readdirSync(path).sort(), names);
  assert.equal(readFileSync(join(path, 'copy.yaml'), 'utf8'), 'n: 2\n');
});
