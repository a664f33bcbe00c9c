// What filters keep a walk from asking of the kernel, seen by strace.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { temporaryDirectory } from '../fixtures/temporary.js';
import { requireTool } from '../fixtures/tools.js';
import { traceScript } from '../fixtures/traced-script.js';

/** No name is there twice. */
function tree(root: string): void {
  for (const directory of ['kept', 'kept/kept-deep', 'out', 'out/out-deep', 'kept/out'])
    mkdirSync(join(root, directory));
  for (const file of ['kept/kept-1', 'kept/kept-deep/kept-2', 'out/lost-1', 'out/out-deep/lost-2', 'kept/out/lost-3'])
    writeFileSync(join(root, file), '');
  writeFileSync(join(root, '.gitignore'), 'out/\n');
}

const script = `
  import { DirectoryFd, walk } from 'dirfd';
  const root = await DirectoryFd.open(process.argv[1]);
  const { filter, ...options } = JSON.parse(process.argv[2]);
  if (filter) options.filter = (entry) => (entry.name === 'out' ? 'prune' : 'include');
  for await (const entry of walk(root, { ...options, order: 'sorted' })) entry.stat; // loads what is loaded once
  const paths = [];
  mark('begin');
  for await (const entry of walk(root, options)) if (entry.stat.mode > 0) paths.push(entry.path);
  mark('end');
  await root.close();
  if (paths.some((path) => path.includes('lost'))) throw new Error('walked ' + paths);
`;

const ways = [
  { exclude: 'out' },
  { exclude: ['out', 'kept/out'] },
  { gitignore: true },
  { filter: true },
  { include: ['kept/kept-*', 'kept/kept-deep/**'] },
];

for (const order of ['any', 'breadth', 'depth', 'sorted']) {
  for (const way of ways) {
    const options = JSON.stringify({ order, ...way });
    test(`what is left out is not opened, and nothing is looked at twice: ${options}`, (t) => {
      if (!requireTool(t, 'strace')) return;
      const root = temporaryDirectory(t);
      tree(root);
      const events = traceScript(script, [root, options]);
      const opened = events.filter(({ call }) => call.startsWith('open')).map(({ args }) => args[1]);
      assert.ok(opened.includes('"kept-deep"'), opened.join());
      assert.deepEqual(
        opened.filter((name) => name === '"out"' || name === '"out-deep"'),
        [],
      );
      const looked = events.filter(({ call, args }) => call === 'statx' && args[1] !== '""').map(({ args }) => args[1]);
      // Both directories called "out" are looked at, as entries.
      const twice = looked.filter((name, at) => name !== '"out"' && looked.indexOf(name) !== at);
      assert.deepEqual(twice, []);
      assert.ok(looked.length <= 7, `looked at ${looked.join()}`);
    });
  }
}
