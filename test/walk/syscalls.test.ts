// What a walk asks of the kernel, counted by strace.
import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import test from 'node:test';
import { importable } from '../fixtures/ordinary-user.js';
import { countCalls, strace } from '../fixtures/strace.js';
import { temporaryDirectory } from '../fixtures/temporary.js';
import { requireTool } from '../fixtures/tools.js';
import { pathBased, traceScript } from '../fixtures/traced-script.js';
import { project } from '../fixtures/trees.js';

const directories = 300;
/** The root is none of its own entries. */
const entries = directories * 11 - 1;

// Once a process, the first walk probes what this kernel has: done before the count begins.
const warmUp = `
  import { mkdtempSync, rmdirSync } from 'node:fs';
  import { DirectoryFd, walk } from 'dirfd';
  const empty = mkdtempSync('/tmp/dirfd-empty-');
  for await (const entry of walk(empty)) entry.stat;
  rmdirSync(empty);
`;

const walkFromHandle = `
  ${warmUp}
  const root = await DirectoryFd.open(process.argv[1]);
  const options = JSON.parse(process.argv[2]);
  let count = 0;
  mark('begin');
  for await (const entry of walk(root, options)) if (entry.stat.mode > 0) count++;
  mark('end');
  await root.close();
  if (count !== Number(process.argv[3])) throw new Error('walked ' + count + ' entries');
`;

const otherStats = ['newfstatat', 'lstat', 'stat', 'access', 'faccessat', 'faccessat2', 'readlinkat'];

for (const options of [{}, { concurrency: 1 }, { order: 'depth' }, { order: 'breadth' }, { order: 'sorted' }]) {
  const name = JSON.stringify(options);

  test(`exactly one statx an entry, at most 1.4 calls an entry, none by path: ${name}`, (t) => {
    if (!requireTool(t, 'strace')) return;
    const tree = temporaryDirectory(t);
    project(tree, directories);
    const events = traceScript(walkFromHandle, [tree, name, String(entries)]);

    const counts = countCalls(events);
    const told = [...counts].map(([call, times]) => `${call} ${times}`).join(', ');
    const named = events.filter(({ call, args }) => call === 'statx' && args[1] !== '""');
    assert.equal(named.length, entries, `statx by name; all calls: ${told}`);
    assert.deepEqual(
      otherStats.filter((call) => counts.has(call)),
      [],
    );
    assert.ok(events.length <= 1.4 * entries, `${(events.length / entries).toFixed(3)} calls an entry: ${told}`);
    assert.deepEqual(pathBased(events), []);
  });
}

test('a walk names its root once, by the path it was given, and nothing by path afterwards', (t) => {
  if (!requireTool(t, 'strace')) return;
  const tree = temporaryDirectory(t);
  project(tree, 20);
  const script = `
    ${warmUp}
    mark('begin');
    for await (const entry of walk(process.argv[1])) entry.stat;
    mark('end');
  `;
  const byPath = pathBased(traceScript(script, [tree]));
  assert.deepEqual(
    byPath.map(({ call, args }) => `${call} ${args.find((argument) => argument.startsWith('"'))}`),
    [`openat ${JSON.stringify(tree)}`],
  );
});

test('while threads wait for the disk there are more of them, unless their number was given', (t) => {
  if (!requireTool(t, 'strace')) return;
  const tree = temporaryDirectory(t);
  project(tree, 60);
  const script = `
    import { walk } from 'dirfd';
    const walking = walk(process.argv[1], JSON.parse(process.argv[2]));
    for await (const entry of walking) entry.stat;
    process.stdout.write(String(walking.statistics.threads));
  `;
  const threadsOf = (options: object): number => {
    const command = [
      process.execPath,
      '--input-type=module',
      '-e',
      importable(script),
      '--',
      tree,
      JSON.stringify(options),
    ];
    const traced = strace(command, { trace: ['statx'], inject: ['statx:delay_enter=3000'] });
    assert.equal(traced.status, 0, traced.stderr);
    return Number(traced.stdout);
  };
  const waiting = threadsOf({});
  assert.ok(waiting > 2 * availableParallelism() || waiting === 32, `${waiting} threads`);
  assert.equal(threadsOf({ concurrency: 2 }), 2);
});
