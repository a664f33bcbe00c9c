import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { run } from '../fixtures/command.js';
import { temporaryDirectory } from '../fixtures/temporary.js';
import { commandInReadme } from './readme.js';

const read = (file: string) => readFileSync(file, 'utf8');
const { scripts } = JSON.parse(read('package.json'));
const documents = ['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md'].concat(
  existsSync('docs')
    ? readdirSync('docs')
        .filter((name) => name.endsWith('.md'))
        .map((name) => join('docs', name))
    : [],
);

/** What .ci/run sets this variable to, in lines of its own. */
function takenByCi(variable: string): string {
  const lines = read('.ci/run').match(new RegExp(`^${variable}=.*$`, 'gm')) ?? [];
  assert.ok(lines.length > 0, `.ci/run has a line ${variable}=…`);
  return execFileSync('bash', ['-euc', `${lines.join('\n')}\nprintf %s "$${variable}"`], { encoding: 'utf8' });
}

describe('README.md', () => {
  test('has one line that builds and runs the main job', () => {
    assert.match(commandInReadme('run-command'), /^npm ci && npm run build && node dist\/cli\/dirfd\.js copy /);
  });

  test('shows JavaScript that runs', (t) => {
    const place = temporaryDirectory(t);
    mkdirSync(join(place, 'workspace/notes'), { recursive: true });
    writeFileSync(join(place, 'workspace/notes/today.md'), 'rain');
    const examples = [...read('README.md').matchAll(/^```js\n(.*?)^```$/gms)].map(([, code]) => code!);
    assert.ok(examples.length > 0);
    for (const example of examples) {
      // Node 20 has no `await using`; the process's end closes what is open.
      const code = example
        .replace('await using', 'const')
        .replaceAll('/srv/', `${place}/`)
        .replaceAll('/backup/', `${place}/copy-of-`);
      run(process.execPath, ['--input-type=module', '-e', code]);
      assert.equal(readFileSync(join(place, 'copy-of-workspace/notes/today.md'), 'utf8'), 'rain');
    }
  });

  test('names a test that there is for everything that a copy is said to do', () => {
    const table = /<!-- copy-table -->\n(.*?)<!-- end -->/s.exec(read('README.md'))?.[1] ?? '';
    const rows = table.trim().split('\n').slice(2);
    assert.ok(rows.length > 20);
    for (const row of rows) {
      const [, file, name] = /\[✓\]\((\S+) "([^"]+)"\) \|$/.exec(row) ?? [];
      assert.ok(file && name, `the last cell leads to a test: ${row}`);
      const titles = [...read(file).matchAll(/\btest\(\s*(['"`])(.*?)\1,/gs)].map(([, , title]) => title!);
      assert.ok(
        titles.some((title) => title.includes(name)),
        `${file} has a test '${name}'`,
      );
    }
  });

  test('has one line that builds and runs all tests, and .ci/run takes it from there', () => {
    assert.equal(takenByCi('command'), commandInReadme('test-command'));
    assert.match(read('.ci/run'), /^bash -euo pipefail -c "\$command"$/m);
  });

  test('has a main job that .ci/run takes from there, and does', () => {
    const [, main] = /^npm ci && npm run build && (.*)$/.exec(commandInReadme('run-command')) ?? [];
    assert.equal(takenByCi('main_job'), main);
    assert.match(read('.ci/run'), /^bash -euo pipefail -c "\$main_job"$/m);
  });
});

for (const document of documents) {
  describe(document, () => {
    test('names only npm scripts that exist', () => {
      const named = [
        ...read(document).matchAll(
          /npm (?:run )?((?:test|bench|build|prebuildify|lint|format|crash|race|faults|fuzz)(?::[a-z-]+)?)\b/g,
        ),
      ];
      for (const [text, script] of named) assert.ok(scripts[script!], text);
    });

    test('links only to files that exist', () => {
      const links = [...read(document).matchAll(/\]\((?!\w+:|#)([^)#\s]+)(?:#[^)\s]*)?(?: "[^"]*")?\)/g)].map(
        ([, link]) => link!,
      );
      for (const link of links) assert.ok(existsSync(join(dirname(document), link)), `${document} links to ${link}`);
    });
  });
}
