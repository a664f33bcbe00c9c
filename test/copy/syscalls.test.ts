// What a copy asks of the kernel, counted by strace.
import assert from 'node:assert/strict';
import { mkdirSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { isDisabled } from '../fixtures/fallbacks.js';
import { countCalls, type SyscallEvent } from '../fixtures/strace.js';
import { temporaryDirectory } from '../fixtures/temporary.js';
import { requireTool } from '../fixtures/tools.js';
import { pathBased, traceScript } from '../fixtures/traced-script.js';
import { everyByte } from '../fixtures/trees/plain.js';
import { deep, project } from '../fixtures/trees.js';

// Once a process, the first copy probes what this kernel has: done before the count begins.
const copyScript = `
  import { mkdtempSync, rmSync } from 'node:fs';
  import { copyTree } from 'dirfd';
  const small = mkdtempSync('/tmp/dirfd-empty-');
  await copyTree(small, small + '-copy');
  rmSync(small, { recursive: true });
  rmSync(small + '-copy', { recursive: true });
  mark('begin');
  const report = await copyTree(process.argv[1], process.argv[2]);
  mark('end');
  if (report.failures?.length > 0) throw new Error(JSON.stringify(report));
`;

function traceCopy(source: string, destination: string): SyscallEvent[] {
  return traceScript(copyScript, [source, destination]);
}

/** Calls of a copy of one directory of `count` files of a few KiB. */
function callsForFiles(base: string, count: number): Map<string, number> {
  const source = join(base, `source-${count}`);
  mkdirSync(source);
  const content = everyByte(6000);
  for (let index = 0; index < count; index++) {
    writeFileSync(join(source, `file-${index}`), content.subarray(0, 1 + ((index * 1237) % 5999)));
  }
  return countCalls(traceCopy(source, join(base, `copy-${count}`)));
}

/** In statfs(2). */
const OVERLAYFS = 0x794c7630;

test('a regular file without xattrs costs at most nine calls, the listing included', (t) => {
  if (!requireTool(t, 'strace')) return;
  const base = temporaryDirectory(t);
  // The difference of two copies: what is done once a copy or once a directory falls out.
  const few = callsForFiles(base, 500);
  const many = callsForFiles(base, 1500);
  const perFile = new Map([...many].map(([call, times]) => [call, (times - (few.get(call) ?? 0)) / 1000]));
  const total = [...perFile.values()].reduce((sum, times) => sum + times, 0);
  const told = [...perFile].filter(([, times]) => times > 0.005).map(([call, times]) => `${call} ${times.toFixed(3)}`);
  t.diagnostic(`${total.toFixed(2)} calls a file: ${told.join(', ')}`);
  // Without a umask of its own a thread widens each mode with fchmod. On an overlay ctime may come from another machine's clock: each file is
  // stat'ed when it is listed, too.
  const most = 9 + Number(isDisabled('umask_thread')) + Number(statfsSync(base).type === OVERLAYFS);
  assert.ok(total <= most + 0.05, `${total.toFixed(2)} calls a file: ${told.join(', ')}`);
});

test('after the two roots are open, a copy names nothing by path', (t) => {
  if (!requireTool(t, 'strace')) return;
  const base = temporaryDirectory(t);
  const source = join(base, 'source');
  mkdirSync(source);
  project(source, 60);
  const byPath = pathBased(traceCopy(source, join(base, 'copy')));
  // The source; the destination, to see whether it is there; and its parent, to make it in.
  const roots = ['source', 'copy', ''].map((name) => `openat ${JSON.stringify(`${base}/${name}`)}`);
  assert.deepEqual(
    byPath.map(({ call, args }) => `${call} ${args.find((argument) => argument.startsWith('"'))}`),
    roots,
  );
});

test('a directory costs the same number of calls at any depth, however long its path is', (t) => {
  if (!requireTool(t, 'strace')) return;
  const base = temporaryDirectory(t);
  const callsAtDepth = (depth: number): number => {
    const source = join(base, `source-${depth}`);
    mkdirSync(source);
    deep(source, depth, 200);
    return traceCopy(source, join(base, `copy-${depth}`)).length;
  };
  // 100 directories whose paths are 40 to 60 KB long. From the root each time, it would be 100 calls of openat2 more, or 1,500 of openat. Now and
  // then it is from the root, after so many milliseconds, which under strace are few levels.
  const perLevel = (callsAtDepth(300) - callsAtDepth(200)) / 100;
  t.diagnostic(`${perLevel.toFixed(2)} calls a level`);
  assert.ok(perLevel < (isDisabled('openat2') ? 300 : 60), `${perLevel} calls a level`);
});
