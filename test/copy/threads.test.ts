// How many threads a copy has.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { linkSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import type { CopyOptions } from 'dirfd';
import { run } from '../fixtures/command.js';
import { assertSameTree } from '../fixtures/compare.js';
import { importable } from '../fixtures/ordinary-user.js';
import { strace } from '../fixtures/strace.js';
import { quickDirectory } from '../fixtures/temporary.js';
import { requireTool } from '../fixtures/tools.js';
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

test('large files of one directory are shared among the threads, whoever decides on them', (t) => {
  if (!requireTool(t, 'strace')) return;
  const { source, base, from } = pairIn(quickDirectory(t));
  const sizes = [17 << 20, 10, 20 << 20, (16 << 20) - 1, 16 << 20, 18 << 20];
  for (const [file, size] of sizes.entries()) writeFileSync(from(`${file}`), Buffer.alloc(size, `${file}`));
  linkSync(from('0'), from('other'));
  const script = importable(`
    import { copyTree } from 'dirfd';
    const { files, hardLinks, bytes } = await copyTree(process.argv[1], process.argv[2], { ...JSON.parse(process.argv[3]), concurrency: 2 });
    console.log(JSON.stringify({ files, hardLinks, bytes }));`);
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  for (const options of [{}, { itemize: true }]) {
    const copy = `${base}/copy-${Object.keys(options)}`;
    const command = [
      process.execPath,
      '--input-type=module',
      '-e',
      script,
      '--',
      source,
      copy,
      JSON.stringify(options),
    ];
    const { events, stdout, stderr } = strace(command, { trace: ['copy_file_range', 'pwrite64'] });
    assert.deepEqual(JSON.parse(stdout || 'null'), { files: 6, hardLinks: 1, bytes }, stderr);
    const threads = new Set(events.filter(({ args }) => args.join().includes(copy)).map(({ pid }) => pid));
    assert.equal(threads.size, 2);
    assertSameTree(source, copy);
  }
});
