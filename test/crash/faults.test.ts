// Failures of the kernel under a copy, each injected by strace: what fails is told with call, directory and name, and what is there is whole.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import type { CopyReport, FsError } from 'dirfd';
import { pair } from '../copy/pair.js';
import { assertSameTree } from '../fixtures/compare.js';
import { importable } from '../fixtures/ordinary-user.js';
import { assertInjected, strace, type Traced } from '../fixtures/strace.js';
import { requireTool } from '../fixtures/tools.js';
import { everyByte } from '../fixtures/trees/plain.js';
import { plain } from '../fixtures/trees.js';

/** What a file that is made and read back goes through. */
const trace = ['pwrite64', 'sync_file_range', 'fadvise64', 'pread64', 'utimensat'];

/** A copy in a process of its own, with faults; the report, or what it failed with, is what it prints. */
function copyUnderFaults(
  source: string,
  destination: string,
  options: object,
  inject: readonly string[],
  paths: readonly string[] = [],
): { traced: Traced; report: CopyReport & { code?: string } } {
  const script = `
    import { copyTree } from 'dirfd';
    const [, source, destination, options] = process.argv;
    const job = copyTree(source, destination, { concurrency: 1, ...JSON.parse(options) });
    const told = await job.then((report) => report, ({ code, path, syscall, directory }) => ({ code, path, syscall, directory }));
    console.log(JSON.stringify(told, (key, value) => (value instanceof Error ? { code: value.code, path: value.path } : value)));
  `;
  const command = [process.execPath, '--input-type=module', '-e', importable(script), '--'];
  const traced = strace([...command, source, destination, JSON.stringify(options)], { trace, inject, paths });
  assert.equal(traced.status, 0, traced.stderr);
  if (inject.length > 0) assertInjected(traced);
  return { traced, report: JSON.parse(traced.stdout) };
}

for (const [what, size] of [
  ['small', 5000],
  ['large', 600_000],
] as const) {
  test(`verify: a ${what} file that the disk says it has written, and has not, is removed and told`, (t) => {
    if (!requireTool(t, 'strace')) return;
    const { source, destination, from, to } = pair(t);
    writeFileSync(from('file'), everyByte(size));
    // The first write is not done and yet said to be done: what is read back is short, or has a hole.
    const lie = ['pwrite64:retval=4096:when=1'];
    const options = { verify: true, reflink: 'never', onError: 'continue' };
    const { report } = copyUnderFaults(source, destination, options, lie, [to('file')]);
    assert.deepEqual(
      report.errors.map(({ path, error }) => [path, error.code]),
      [['file', 'ERR_DIRFD_INTEGRITY']],
    );
    assert.equal(report.exitCode, 23);
    assert.equal(existsSync(to('file')), false);
  });
}

test('verify drops the pages of a file before it reads them back', (t) => {
  if (!requireTool(t, 'strace')) return;
  const { source, destination, from, to } = pair(t);
  writeFileSync(from('file'), everyByte(5000));
  const { traced } = copyUnderFaults(source, destination, { verify: true, reflink: 'never' }, [], [to('file')]);
  const calls = traced.events.map(({ call }) => call);
  // On a file system that is met for the first time, a first utimensat asks what times it keeps.
  const once = calls.filter((call, index) => call !== calls[index - 1] || call === 'pread64');
  assert.deepEqual(once, ['pwrite64', 'sync_file_range', 'fadvise64', 'pread64', 'pread64', 'utimensat']);
});

test('retries: a failure that passes costs another try, and the report counts it', (t) => {
  if (!requireTool(t, 'strace')) return;
  const { source, destination, from } = pair(t, plain);
  writeFileSync(from('file'), everyByte(5000));
  const busy = ['pwrite64:error=EAGAIN:when=1..2'];
  const options = { retries: 3, retryDelay: 1, reflink: 'never' };
  const { report } = copyUnderFaults(source, destination, options, busy);
  assert.deepEqual([report.retries, report.errorCount, report.exitCode], [2, 0, 0]);
  assertSameTree(source, destination);
});

test('retries: a full disk, a quota and a second EIO are not tried again, and each names call, directory and name', (t) => {
  if (!requireTool(t, 'strace')) return;
  for (const [code, retries] of [
    ['ENOSPC', 0],
    ['EDQUOT', 0],
    ['EIO', 1],
  ] as const) {
    const { source, destination, from, to } = pair(t);
    writeFileSync(from('file'), everyByte(5000));
    writeFileSync(from('other'), '');
    const options = { retries: 3, retryDelay: 1, reflink: 'never' };
    const { report } = copyUnderFaults(source, destination, options, [`pwrite64:error=${code}`]);
    const { path, syscall, directory } = report as unknown as FsError;
    assert.deepEqual([report.code, path, syscall, directory], [code, 'file', 'pwrite', destination], `${retries}`);
    assert.equal(existsSync(to('file')), false);
    const goingOn = copyUnderFaults(source, destination, { ...options, onError: 'continue' }, [
      `pwrite64:error=${code}`,
    ]);
    assert.deepEqual([goingOn.report.errorCount, goingOn.report.retries, goingOn.report.exitCode], [1, retries, 23]);
    assert.deepEqual(readdirSync(destination), ['other']);
  }
});

test('atomic: a tree that lacks a file is not put in its place, whatever onError says', (t) => {
  if (!requireTool(t, 'strace')) return;
  const { base, source, destination, from, to } = pair(t);
  writeFileSync(from('file'), everyByte(5000));
  mkdirSync(destination);
  writeFileSync(to('old'), 'old');
  const options = { atomic: true, delete: true, onError: 'continue', reflink: 'never' };
  const { report } = copyUnderFaults(source, destination, options, ['pwrite64:error=ENOSPC']);
  assert.equal(report.code, 'ENOSPC');
  assert.deepEqual([readdirSync(destination), readdirSync(base).sort()], [['old'], ['destination', 'source']]);
});

test('a read-only file system, a lack of permission and a stale handle are told by call, directory and name, and the rest is copied', (t) => {
  if (!requireTool(t, 'strace')) return;
  const { source, destination, from, to } = pair(t);
  writeFileSync(from('a'), everyByte(5000));
  writeFileSync(from('b'), everyByte(5000));
  for (const [call, code, side] of [
    ['pread64', 'EIO', source],
    ['pread64', 'ESTALE', source],
    ['utimensat', 'EROFS', destination],
    ['pwrite64', 'EROFS', destination],
  ] as const) {
    const inject = [`${call}:error=${code}`];
    const { report } = copyUnderFaults(source, destination, { onError: 'continue', reflink: 'never' }, inject, [
      from('a'),
      to('a'),
    ]);
    const told = [
      ...report.errors.map(({ path, error }) => [path, error.code]),
      ...report.notKept.map(({ path, code: why }) => [path, why]),
    ];
    assert.deepEqual(told[0], ['a', code], `${call} ${side}: ${JSON.stringify(report)}`);
    assert.equal(report.exitCode, 23);
    assert.ok(existsSync(to('b')));
    assert.equal(existsSync(to('a')), call === 'utimensat');
    rmSync(destination, { recursive: true });
  }
});
