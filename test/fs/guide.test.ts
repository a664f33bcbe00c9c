// docs/fs.md: what it shows runs.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { attempt } from '../fixtures/command.js';
import { repositoryRoot } from '../fixtures/repository.js';
import { temporaryDirectory } from '../fixtures/temporary.js';
import { makeTree } from './tree-lines.js';

test('the example of the guide runs', (t) => {
  const path = temporaryDirectory(t);
  makeTree(path, ['project/a.js = x', 'project/b.log = y']);
  const guide = readFileSync(join(repositoryRoot, 'docs/fs.md'), 'utf8');
  const [, example = ''] = /^```js\n(.*?)^```$/ms.exec(guide) ?? [];
  const entry = pathToFileURL(join(repositoryRoot, 'dist/fs/main.js')).href;
  // The last line takes away what shows that the others have done their part.
  const script = example.replace('dirfd/fs', entry).replace(/^await remove.*$/m, '');
  const ran = attempt(process.execPath, ['--input-type=module', '-e', script], { cwd: path });
  assert.equal(ran.status, 0, ran.stderr);
  assert.equal(readFileSync(join(path, 'archive/2026/kept/a.js'), 'utf8'), 'x');
  assert.equal(existsSync(join(path, 'archive/2026/kept/b.log')), false);
});
