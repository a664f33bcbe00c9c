// docs/directory-fd.md: what it shows runs, and prints what it says.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import ts from 'typescript';
import { attempt } from '../fixtures/command.js';
import { importable } from '../fixtures/ordinary-user.js';
import { repositoryRoot } from '../fixtures/repository.js';
import { scratch } from './scratch.js';

test('the examples of the guide run one after the other', async (t) => {
  const { path } = await scratch(t);
  mkdirSync(join(path, 'workspace'));
  const guide = readFileSync(join(repositoryRoot, 'docs/directory-fd.md'), 'utf8');
  const examples = [...guide.matchAll(/^```js\n(.*?)^```$/gms)].map(([, code]) => code);
  // `await using` is for Node 24: lowered here as any user's compiler would.
  const options = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext };
  const script = ts.transpileModule(examples.join('\n'), { compilerOptions: options }).outputText;
  writeFileSync(join(path, 'guide.mjs'), importable(script.replaceAll('"dirfd"', "'dirfd'")));
  const ran = attempt(process.execPath, ['guide.mjs'], { cwd: path });
  assert.equal(ran.status, 0, ran.stderr);
  const lines = ran.stdout.trim().split('\n');
  assert.match(lines[0] ?? '', /^summary\.txt file 5 \d+n$/);
  assert.deepEqual(lines.slice(1, 4), ['done', '', 'ERR_DIRFD_PATH_ESCAPE']);
  assert.equal(lines[4], '3 0 []');
  assert.match(lines[5] ?? '', /^ENOENT: no such file or directory, openat2? 'missing\/file' in 'workspace'$/);
  assert.equal(readFileSync(join(path, 'workspace/config.json'), 'utf8'), '{"answer":42}');
});
