// Every resolver, the same answers: this file runs once per forced fallback (scripts/test/variants.mjs),
// and compares dirfd with the table of outcomes and, on drawn trees, with the kernel's own openat2.
import assert from 'node:assert/strict';
import { lstatSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { DirectoryFd } from 'dirfd';
import * as fc from 'fast-check';
import { attempt } from '../fixtures/command.js';
import { compiled } from '../fixtures/compile.js';
import { expectNoLeaks } from '../fixtures/descriptors.js';
import {
  isErrno,
  magicLinkCases,
  type ResolutionMode,
  refusedPaths,
  resolutionModes,
  resolverCases,
} from '../fixtures/resolver-cases.js';
import { createResolverTree } from '../fixtures/resolver-tree.js';
import { temporaryDirectory } from '../fixtures/temporary.js';
import { need } from '../fixtures/tools.js';
import { createTree, treeArbitrary } from '../fixtures/trees.js';
import { errnoName, type Form, forms, resolve } from './resolve.js';

expectNoLeaks();

function resolverTree(t: TestContext): string {
  const root = join(temporaryDirectory(t), 'tree');
  mkdirSync(root);
  createResolverTree(root);
  return root;
}

function identityOf(path: string): string {
  const { dev, ino } = lstatSync(path, { bigint: true });
  return `${dev} ${ino}`;
}

for (const resolution of resolutionModes) {
  test(`every path of the table resolves as openat2 resolves it: ${resolution}`, async (t) => {
    const root = resolverTree(t);
    await using directory = await DirectoryFd.open(root, { resolution });
    for (const { path, outcomes } of resolverCases) {
      for (const form of forms) {
        const outcome = outcomes[resolution][form];
        const expected = isErrno(outcome) ? outcome : identityOf(join(root, outcome));
        assert.equal(await resolve(directory, path, form), expected, `${form} ${JSON.stringify(path)} → ${outcome}`);
      }
    }
  });

  test(`magic links are followed by no form: ${resolution}`, async () => {
    await using directory = await DirectoryFd.open('/proc/self', { resolution });
    for (const { path, outcomes } of magicLinkCases) {
      for (const form of forms) {
        const found = await resolve(directory, path, form);
        const outcome = outcomes[resolution][form];
        // The inodes of /proc come and go: that something is found is all that can be compared.
        if (isErrno(outcome)) assert.equal(found, outcome, `${form} ${path}`);
        else assert.match(found, /^\d+ \d+$/, `${form} ${path}`);
      }
    }
  });

  test(`paths that name no place in the tree are refused by every form: ${resolution}`, async (t) => {
    await using directory = await DirectoryFd.open(resolverTree(t), { resolution });
    for (const { path, code } of refusedPaths) {
      for (const form of forms)
        assert.equal(await resolve(directory, path, form), code, `${form} ${JSON.stringify(path)}`);
    }
  });

  test(`on drawn trees dirfd finds what openat2 finds: ${resolution}`, async (t) => {
    const oracle = compiled(t, 'resolver-oracle');
    if (oracle === undefined) return;
    const paths = fc.array(pathArbitrary, { minLength: 20, maxLength: 40 });
    const property = fc.asyncProperty(treeArbitrary, paths, async (tree, wanted) => {
      const root = temporaryDirectory(t);
      createTree(root, tree);
      await using directory = await DirectoryFd.open(root, { resolution });
      for (const form of forms) {
        const answers = askKernel(oracle, root, resolution, form, wanted);
        if (answers === undefined) return;
        for (const [index, path] of wanted.entries()) {
          assert.equal(await resolve(directory, path, form), answers[index], `${form} ${JSON.stringify(path)}`);
        }
      }
    });
    if (!need(t, askKernel(oracle, '/', resolution, 'follow', ['.']) !== undefined, 'needs openat2 (Linux 5.6)'))
      return;
    await fc.assert(property, { numRuns: 60 });
  });
}

/** Of the names that drawn trees use, so that most paths lead somewhere. */
const pathArbitrary = fc
  .array(fc.oneof({ weight: 9, arbitrary: fc.stringMatching(/^[a-d]{1,2}$/) }, fc.constantFrom('.', '')), {
    minLength: 1,
    maxLength: 5,
  })
  .map((components) => components.join('/'))
  .filter((path) => path !== '' && !path.startsWith('/'));

/** undefined where the kernel has no openat2. */
function askKernel(
  oracle: string,
  root: string,
  resolution: ResolutionMode,
  form: Form,
  paths: readonly string[],
): string[] | undefined {
  const input = paths.map((path) => `${path}\0`).join('');
  const asked = attempt(oracle, [root, resolution, form === 'follow' ? 'follow' : 'no-follow'], { input });
  if (asked.status === 3) return undefined;
  return asked.stdout
    .trim()
    .split('\n')
    .map((line) => {
      const [kind, first, second] = line.split(' ');
      return kind === 'ok' ? `${first} ${second}` : errnoName(Number(first));
    });
}
