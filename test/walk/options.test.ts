// Options that make no sense are refused at once, before anything is opened.
import assert from 'node:assert/strict';
import test from 'node:test';
import { walk } from 'dirfd';

const wrong: Record<string, unknown>[] = [
  { order: 'random' },
  { symlinks: 'maybe' },
  { maxDepth: 0 },
  { maxDepth: 1.5 },
  { maxDepth: '3' },
  { kinds: ['files'] },
  { concurrency: 0 },
  { concurrency: 65 },
  { concurrency: 'many' },
  { encoding: 'latin1' },
  { onError: 'ignore' },
  { batchSize: 0 },
  { batchSize: Number.NaN },
  { highWaterMark: -1 },
  { maxOpenDirectories: 2 },
  { include: '' },
  { include: [1] },
  { exclude: ['*.js', ''] },
  { exclude: 'node_modules/' },
  { exclude: ['*.js', '/build'] },
  { include: '**/' },
  { filter: 'include' },
  { leave: true },
];

for (const options of wrong) {
  test(`${JSON.stringify(options)} is refused`, () => {
    assert.throws(() => walk('/', options as never), {
      name: 'FsError',
      code: 'ERR_DIRFD_INVALID_ARGUMENT',
      syscall: 'walk',
    });
  });
}
