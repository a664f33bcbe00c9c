// docs/backup.md: what it shows runs.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { attempt } from '../fixtures/command.js';
import { repositoryRoot } from '../fixtures/repository.js';
import { temporaryDirectory } from '../fixtures/temporary.js';

test('the example of the guide runs', (t) => {
  const path = temporaryDirectory(t);
  mkdirSync(join(path, 'project'));
  mkdirSync(join(path, 'store'));
  writeFileSync(join(path, 'project/a.txt'), 'good');
  const guide = readFileSync(join(repositoryRoot, 'docs/backup.md'), 'utf8');
  const [, example = ''] = /^```js\n(.*?)^```$/ms.exec(guide) ?? [];
  const script = example.replace(/'dirfd(\/\w+)?'/g, (_, name = '') =>
    JSON.stringify(pathToFileURL(join(repositoryRoot, `dist${name}/main.js`)).href),
  );
  const ran = attempt(process.execPath, ['--input-type=module', '-e', script], { cwd: path });
  assert.equal(ran.status, 0, ran.stderr);
  assert.match(ran.stdout, /^true 1\n.*size.*\ngood\n1\n$/);
  assert.equal(readFileSync(join(path, 'project/a.txt'), 'utf8'), 'good');
});
