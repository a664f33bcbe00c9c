// How many threads a copy has.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import type { CopyOptions } from 'dirfd';
import { run } from '../fixtures/command.js';
import { importable } from '../fixtures/ordinary-user.js';
import { quickDirectory } from '../fixtures/temporary.js';
import { pairIn } from './pair.js';

test('fsync: each has many threads, which wait for the disk together, and a single directory keeps them busy', (t) => {
  const { source, base, from } = pairIn(quickDirectory(t));
  for (let file = 0; file < 600; file++) writeFileSync(from(`${file}`), 'content');
  const script = importable(`
    import { readdirSync } from 'node:fs';
    import { stat } from 'node:fs/promises';
    import { copyTree } from 'dirfd';
    await stat('.'); // libuv's threads, all at once
    const threads = () => readdirSync('/proc/self/task').length;
    const before = threads();
    await copyTree(process.argv[1], process.argv[2], JSON.parse(process.argv[3]));
    console.log(threads() - before);`);
  const started = (to: string, options: CopyOptions) =>
    Number(run(process.execPath, ['--input-type=module', '-e', script, '--', source, to, JSON.stringify(options)]));
  const each = started(`${base}/each`, { fsync: 'each' });
  assert.ok(each >= 16 && each <= 32, `${each} threads`);
  assert.equal(started(`${base}/two`, { fsync: 'each', concurrency: 2 }), 2);
});
