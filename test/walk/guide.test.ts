// docs/walk.md: what it shows runs, and prints what other programs print.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { attempt, run } from '../fixtures/command.js';
import { importable } from '../fixtures/ordinary-user.js';
import { repositoryRoot } from '../fixtures/repository.js';
import { temporaryDirectory } from '../fixtures/temporary.js';
import { requireTool } from '../fixtures/tools.js';
import { project } from '../fixtures/trees.js';

test('the examples of the guide run one after the other', (t) => {
  if (!requireTool(t, 'du')) return;
  const path = temporaryDirectory(t);
  mkdirSync(join(path, 'project'));
  project(join(path, 'project'), 12);
  writeFileSync(join(path, 'project', 'large'), 'x'.repeat(100_000));
  writeFileSync(join(path, 'project', 'larger.tmp'), 'x'.repeat(200_000));
  writeFileSync(join(path, 'project', '.gitignore'), '*.tmp\n');
  const guide = readFileSync(join(repositoryRoot, 'docs/walk.md'), 'utf8');
  const examples = [...guide.matchAll(/^```js\n(.*?)^```$/gms)].map(([, code]) => code);
  writeFileSync(join(path, 'guide.mjs'), importable(examples.join('\n')));

  const ran = attempt(process.execPath, ['guide.mjs'], { cwd: path });
  assert.equal(ran.status, 0, ran.stderr);
  const lines = ran.stdout.trim().split('\n');
  const sizes = run('find', ['project', '-type', 'f', '!', '-name', '*.tmp', '-printf', '%s\n'], { cwd: path });
  const bytes = sizes.split('\n').reduce((sum, size) => sum + Number(size), 0);
  assert.equal(lines[0], String(bytes));
  const usage = run('du', ['--count-links', '--block-size=1', '.'], { cwd: path }).trim().split('\n');
  // du tells of the root too, and with what paths begin.
  const expected = usage.slice(0, -1).map((line) => line.replace('\t./', ' '));
  assert.deepEqual(lines.slice(1, -1).sort(), expected.sort());
  assert.equal(
    lines.at(-1),
    `large ${run('find', ['project', '-type', 'd'], { cwd: path }).trim().split('\n').length}`,
  );
});
