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

/** With how long the copy took, which a further mark tells. */
function traceTimedCopy(source: string, destination: string): { events: SyscallEvent[]; milliseconds: number } {
  const timed = copyScript
    .replace("mark('begin');", "mark('begin');\nconst began = performance.now();")
    .replace("mark('end');", "mark('took-' + Math.ceil(performance.now() - began));\nmark('end');");
  const events = traceScript(timed, [source, destination]);
  const [, took] = /^"\/dirfd-mark-took-(\d+)"$/.exec(events.pop()?.args[0] ?? '') ?? [];
  assert.ok(took, 'the time is told last');
  return { events, milliseconds: Number(took) };
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

/** How long a directory far down stands for the path that led to it (native/ops/recent_directories.h); then its path is resolved from the root. */
const TRUSTED = 100;
/** Directories in the piece of a path that one openat2 resolves, of names of 200 bytes (native/ops/tree_path.cpp). */
const PIECE = 6;

/** The opens by which paths are resolved, and the calls on what they opened on the way: to see what it is, and to close it. */
function resolution(events: readonly SyscallEvent[]): { opens: SyscallEvent[]; all: Set<SyscallEvent> } {
  const opens: SyscallEvent[] = [];
  const all = new Set<SyscallEvent>();
  const onTheWay = new Set<number>();
  for (const event of events) {
    const [first = '', path = '', flags = ''] = event.args;
    const fd = Number.parseInt(first, 10);
    const isWalked = event.call === 'openat' && flags.includes('O_PATH');
    if (isWalked || (event.call === 'openat2' && path.includes('/'))) {
      opens.push(event);
      all.add(event);
      if (isWalked || flags.includes('O_PATH')) onTheWay.add(event.result);
    } else if (/^(statx|close)$/.test(event.call) && onTheWay.has(fd)) {
      all.add(event);
      if (event.call === 'close') onTheWay.delete(fd);
    }
  }
  return { opens, all };
}

test('a directory costs the same number of calls at any depth, however long its path is', (t) => {
  if (!requireTool(t, 'strace')) return;
  const base = temporaryDirectory(t);
  const callsAtDepth = (depth: number): number => {
    const source = join(base, `source-${depth}`);
    mkdirSync(source);
    deep(source, depth, 200);
    const { events, milliseconds } = traceTimedCopy(source, join(base, `copy-${depth}`));
    const { opens, all } = resolution(events);
    // Of each side's path at most two a period, and a few for its first levels and for what the whole copy does once.
    const most = 2 * (2 * Math.ceil(milliseconds / TRUSTED) + 3);
    const pieces = Math.ceil(depth / PIECE);
    const cost = isDisabled('openat2') ? depth + pieces : pieces;
    t.diagnostic(
      `${depth} levels: ${milliseconds} ms, paths resolved ${(opens.length / cost).toFixed(1)} times of ${most}`,
    );
    assert.ok(opens.length <= most * cost, `${opens.length} opens in ${milliseconds} ms`);
    return events.length - all.size;
  };
  // 100 directories whose paths are 40 to 60 KB long: from the root, ten to fifteen times PATH_MAX for each open.
  const perLevel = (callsAtDepth(300) - callsAtDepth(200)) / 100;
  t.diagnostic(`${perLevel.toFixed(2)} calls a level, besides`);
  assert.ok(perLevel < 25, `${perLevel} calls a level`);
});
