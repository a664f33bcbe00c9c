// resume: a large file that was cut off is gone on with, as far as its bytes are the source's and no further.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { copyTree } from 'dirfd';
import { assertComplete, pair } from '../copy/pair.js';
import { assertSameTree } from '../fixtures/compare.js';
import { importable } from '../fixtures/ordinary-user.js';
import { assertInjected, strace } from '../fixtures/strace.js';
import { requireTool } from '../fixtures/tools.js';
import { everyByte } from '../fixtures/trees/plain.js';

const SIZE = 5 << 20;

function large(source: string): void {
  writeFileSync(join(source, 'large'), everyByte(SIZE));
  writeFileSync(join(source, 'small'), 'small');
}

/** The file that was cut off, in its private directory. */
function partialOf(destination: string): string | undefined {
  const staging = readdirSync(destination).find((name) => /^\.dirfd-[0-9a-f]{32}$/.test(name));
  return staging === undefined ? undefined : join(destination, staging, '0');
}

/** Aborted when some of the large file has been copied. */
async function cutOff(source: string, destination: string): Promise<string> {
  const job = copyTree(source, destination, { resume: true, reflink: 'never', bandwidthLimit: 16 << 20 });
  job.catch(() => {});
  while (job.progress.bytes < 2 << 20) await new Promise((resolve) => setTimeout(resolve, 5));
  job.abort(new Error('enough'));
  await assert.rejects(async () => await job, /enough/);
  const partial = partialOf(destination);
  assert.ok(partial !== undefined && statSync(partial).size > 0, 'what was copied is kept');
  assert.equal(existsSync(join(destination, 'large')), false);
  return partial;
}

/** Bytes that a copy with `resume` reports as moved. */
async function resumed(source: string, destination: string): Promise<number> {
  const report = await copyTree(source, destination, { resume: true, reflink: 'never', update: true });
  assertComplete(report);
  assertSameTree(source, destination);
  assert.equal(partialOf(destination), undefined);
  return report.bytes;
}

test('resume: a file that an abort has cut off is kept, and only its rest is copied', async (t) => {
  const { source, destination } = pair(t, large);
  const kept = statSync(await cutOff(source, destination)).size;
  assert.ok((await resumed(source, destination)) <= SIZE - kept + 5);
});

test('resume: files of every size arrive in directories that the copy makes, by all their names', async (t) => {
  const { source, destination, from } = pair(t);
  mkdirSync(from('directory'));
  for (const size of [0, SIZE, (16 << 20) - 1, 16 << 20, 17 << 20])
    writeFileSync(from('directory', `${size}`), everyByte(size));
  linkSync(from('directory', `${17 << 20}`), from('directory', 'other name'));
  await resumed(source, destination);
});

test('resume: bytes that are not the source’s are not gone on with, whatever size the file has', async (t) => {
  const { source, destination, to } = pair(t, large);
  const partial = await cutOff(source, destination);
  const bytes = readFileSync(partial);
  bytes[1000] = (bytes[1000] ?? 0) ^ 1;
  // As after a power cut: the length is there, the bytes are not.
  writeFileSync(partial, bytes);
  truncateSync(partial, SIZE + 100_000);
  assert.ok((await resumed(source, destination)) >= SIZE - 1000);
  assert.deepEqual(readFileSync(to('large')), everyByte(SIZE));
});

test('resume: a file that has changed since begins anew, and what was kept of the old one goes', async (t) => {
  const { source, destination, from } = pair(t, large);
  await cutOff(source, destination);
  writeFileSync(from('large'), everyByte(SIZE + 1).subarray(1));
  utimesSync(from('large'), 1, 1);
  assert.ok((await resumed(source, destination)) >= SIZE);
});

test('a copy without resume removes what one with it has kept', async (t) => {
  const { source, destination } = pair(t, large);
  await cutOff(source, destination);
  assertComplete(await copyTree(source, destination, { delete: true }));
  assertSameTree(source, destination);
  assert.equal(partialOf(destination), undefined);
});

test('resume: what was kept stays when the file fails again', (t) => {
  if (!requireTool(t, 'strace')) return;
  const { source, destination } = pair(t, (root) => writeFileSync(join(root, 'large'), everyByte(SIZE)));
  const script = `
    import { copyTree } from 'dirfd';
    await copyTree(process.argv[1], process.argv[2], { resume: true, reflink: 'never', onError: 'continue', concurrency: 1 });
  `;
  const command = [process.execPath, '--input-type=module', '-e', importable(script), '--', source, destination];
  const kept = [1, 2].map((run) => {
    const failed = strace(command, { trace: [], inject: ['pwrite64:error=ENOSPC:when=4+'] });
    assertInjected(failed, 'pwrite64');
    const partial = partialOf(destination);
    assert.ok(partial !== undefined, `run ${run}`);
    return statSync(partial).size;
  });
  assert.ok((kept[0] ?? 0) > 0 && (kept[1] ?? 0) > (kept[0] ?? 0), `${kept}`);
});

test('resume after a SIGKILL in the middle of a file writes only the rest', async (t) => {
  if (!requireTool(t, 'strace')) return;
  const { source, destination, to } = pair(t, large);
  const script = `
    import { copyTree } from 'dirfd';
    await copyTree(process.argv[1], process.argv[2], { resume: true, reflink: 'never', update: true, concurrency: 1 });
  `;
  const command = [process.execPath, '--input-type=module', '-e', importable(script), '--', source, destination];
  const killed = strace(command, { trace: [], inject: ['pwrite64:signal=KILL:when=12'] });
  assert.notEqual(killed.status, 0);
  const partial = partialOf(destination);
  assert.ok(partial !== undefined);
  const kept = statSync(partial).size;
  assert.ok(kept >= 10 * 256 * 1024, `${kept}`);

  const second = strace(command, { trace: ['pwrite64'] });
  assert.equal(second.status, 0, second.stderr);
  const written = second.events
    .filter(({ call, args }) => call === 'pwrite64' && args[0]?.includes(destination))
    .reduce((sum, { result }) => sum + Number(result), 0);
  assert.ok(written <= SIZE - kept + 5, `${written} bytes written, ${kept} kept`);
  assertSameTree(source, destination);
  assert.deepEqual(readdirSync(destination).sort(), ['large', 'small']);
  assert.ok(existsSync(to('small')));
});

test('resume is refused where it could not hold', async (t) => {
  const { source, destination } = pair(t, large);
  for (const options of [{ atomic: true }, { flags: true }]) {
    await assert.rejects(async () => await copyTree(source, destination, { resume: true, ...options }), {
      code: 'ERR_DIRFD_INVALID_ARGUMENT',
    });
  }
  assert.equal(existsSync(destination), false);
});
