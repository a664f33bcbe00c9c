// docs/transaction.md: what it shows runs.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { addPlan, FileTransaction, parsePlan } from 'dirfd/transaction';
import { attempt } from '../fixtures/command.js';
import { repositoryRoot } from '../fixtures/repository.js';
import { rootWith, snapshot } from './snapshot.js';

const guide = readFileSync(join(repositoryRoot, 'docs/transaction.md'), 'utf8');

test('the examples of the guide run one after the other', (t) => {
  const place = rootWith(t, {
    'project/package.json': '{}',
    'project/lib/old.js': 'js',
    'project/template/a.md': 'a',
    'project/tmp/x': 'x',
  });
  const examples = [...guide.matchAll(/^```js\n(.*?)^```$/gms)].map(([, code]) => code);
  const entry = pathToFileURL(join(repositoryRoot, 'dist/transaction/main.js')).href;
  const script = examples.join('\n').replaceAll("'dirfd/transaction'", JSON.stringify(entry));
  const ran = attempt(process.execPath, ['--input-type=module', '-e', script], { cwd: place });
  assert.equal(ran.status, 0, ran.stderr);
  assert.deepEqual(ran.stdout.trim().split('\n'), ['3.0.0 # Demo', '0', '0 0 0', "[ 'cleaning done' ]"]);
  const project = join(place, 'project');
  assert.equal(readFileSync(join(project, 'lib/new.js'), 'utf8'), 'js');
  assert.equal(readFileSync(join(project, 'docs/index.md'), 'utf8'), '# Empty\n');
  assert.equal(existsSync(join(project, 'tmp')), false);
});

test('the plan of the guide can be applied', async (t) => {
  const root = rootWith(t, { README: 'old', 'lib/a': 'a', a: 'a', b: 'b', 'tmp/x': 'x', 'bin/run': '' });
  const [, yaml = ''] = /^```yaml\n(.*?)^```$/ms.exec(guide) ?? [];
  await using transaction = await FileTransaction.begin(root);
  await addPlan(transaction, await parsePlan(yaml));
  await transaction.commit();
  assert.deepEqual(snapshot(root), {
    README: 'file 644 new text\n',
    b: 'file 644 a',
    bin: 'directory 755',
    'bin/run': 'file 755 ',
    config: 'directory 755',
    'config/app.json': 'file 644 {\n  "port": 8080\n}\n',
    current: 'symlink releases/2',
    lib: 'directory 755',
    'lib.bak': 'directory 755',
    'lib.bak/a': 'file 644 a',
    'lib/a': 'file 644 a',
    logs: 'directory 750',
  });
});
