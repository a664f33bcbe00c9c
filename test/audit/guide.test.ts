// docs/audit.md: what it shows runs.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { attempt } from '../fixtures/command.js';
import { repositoryRoot } from '../fixtures/repository.js';
import { temporaryDirectory } from '../fixtures/temporary.js';

test('the example of the guide runs', (t) => {
  const path = temporaryDirectory(t);
  mkdirSync(join(path, 'log'));
  const guide = readFileSync(join(repositoryRoot, 'docs/audit.md'), 'utf8');
  const [, example = ''] = /^```js\n(.*?)^```$/ms.exec(guide) ?? [];
  const script = example.replace(/'dirfd\/(\w+)'/g, (_, name: string) =>
    JSON.stringify(pathToFileURL(join(repositoryRoot, `dist/${name}/main.js`)).href),
  );
  const ran = attempt(process.execPath, ['--input-type=module', '-e', script], { cwd: path });
  assert.equal(ran.status, 0, ran.stderr);
  assert.equal(ran.stdout, 'true 2 2\n');
});
