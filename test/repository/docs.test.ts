import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
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

describe('README.md', () => {
  test('has one line that builds and runs the main job', () => {
    assert.match(commandInReadme('run-command'), /^npm ci && npm run build && node dist\/cli\/dirfd\.js copy /);
  });

  test('has one line that builds and runs all tests, and .ci/run takes it from there', () => {
    const line = read('.ci/run').match(/^command=.*$/m)?.[0];
    assert.ok(line, '.ci/run has a line command=…');
    const taken = execFileSync('bash', ['-euc', `${line}\nprintf %s "$command"`], { encoding: 'utf8' });
    assert.equal(taken, commandInReadme('test-command'));
    assert.match(read('.ci/run'), /^bash -euo pipefail -c "\$command"$/m);
  });
});

for (const document of documents) {
  describe(document, () => {
    test('names only npm scripts that exist', () => {
      const named = [
        ...read(document).matchAll(/npm (?:run )?((?:test|bench|build|prebuildify|lint|format)(?::[a-z]+)?)\b/g),
      ];
      for (const [text, script] of named) assert.ok(scripts[script!], text);
    });

    test('links only to files that exist', () => {
      const links = [...read(document).matchAll(/\]\((?!\w+:|#)([^)#]+)(?:#[^)]*)?\)/g)].map(([, link]) => link!);
      for (const link of links) assert.ok(existsSync(join(dirname(document), link)), `${document} links to ${link}`);
    });
  });
}
