// Closing, forgetting and aborting, crossed with every verb in flight, while others take every descriptor number that becomes free.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { closeSync, lstatSync, mkdirSync, openSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { DirectoryFd, FileFd, FsError } from 'dirfd';
import { attempt } from '../fixtures/command.js';
import { importable } from '../fixtures/ordinary-user.js';
import { temporaryDirectory } from '../fixtures/temporary.js';
import { directoryCalls } from './every-verb.js';

/** File systems differ in these. */
const mayBeUnsupported = ['setxattr', 'getxattr', 'removexattr', 'getflags', 'setflags'];

function prepare(path: string): string {
  mkdirSync(join(path, 'sub'), { recursive: true });
  writeFileSync(join(path, 'file'), 'x'.repeat(100));
  return path;
}

function look(path: string): string {
  const told = (name: string): string => {
    const { ino, mode, nlink, size, ctimeNs } = lstatSync(join(path, name), { bigint: true });
    return [name, ino, mode, nlink, size, ctimeNs].join(' ');
  };
  return ['.', ...readdirSync(path).sort()].map(told).join('\n');
}

test('a number that is free and taken again at once leads no verb in flight to the new directory', async (t) => {
  const ours = prepare(join(temporaryDirectory(t), 'ours'));
  const theirs = prepare(join(temporaryDirectory(t), 'theirs'));
  const before = look(theirs);
  for (const [name, call] of Object.entries(directoryCalls)) {
    const handle = await DirectoryFd.open(ours);
    const number = handle.unsafeFd();
    const running = Promise.resolve()
      .then(() => call(handle))
      .catch((error: unknown) => error);
    await Promise.resolve();
    const closing = handle.close();
    const taken: number[] = [];
    // Before the verb has ended, and after.
    for (let count = 0; count < 5; count++) taken.push(openSync(theirs, 'r'));
    const outcome = await running;
    await closing;
    while (!taken.includes(number) && taken.length < 50) taken.push(openSync(theirs, 'r'));
    if (!name.endsWith('Sync'))
      await assert.rejects(async () => handle.stat('file'), { code: 'ERR_DIRFD_CLOSED' }, name);
    for (const fd of taken) closeSync(fd);
    if (outcome instanceof DirectoryFd || outcome instanceof FileFd) await outcome.close();
    // Several calls make up these: those after the close are refused.
    const isRefused = outcome instanceof FsError && outcome.code === 'ERR_DIRFD_CLOSED';
    if (!isRefused && !mayBeUnsupported.includes(name)) assert.ok(!(outcome instanceof Error), `${name}: ${outcome}`);
    assert.equal(look(theirs), before, name);
    // What a refused verb has not made, the next ones need.
    if (isRefused) await remake(ours, name);
  }
});

async function remake(path: string, name: string): Promise<void> {
  await using directory = await DirectoryFd.open(path);
  const value = await directoryCalls[name]?.(directory);
  if (value instanceof DirectoryFd || value instanceof FileFd) await value.close();
}

test('a handle that is forgotten while any of its verbs is in flight is collected after it', async (t) => {
  const path = prepare(join(temporaryDirectory(t), 'ours'));
  const calls = JSON.stringify(new URL('./every-verb.js', import.meta.url).href);
  const script = importable(`
    import { DirectoryFd } from 'dirfd';
    import { directoryCalls } from ${calls};
    const failures = [];
    const timer = setInterval(gc, 1);
    for (const [name, call] of Object.entries(directoryCalls)) {
      try {
        const value = await (async () => call(await DirectoryFd.open(process.argv[1])))();
        gc();
        if (typeof value?.close === 'function') await value.close();
      } catch (error) {
        failures.push(name + ' ' + error.code);
      }
    }
    clearInterval(timer);
    console.log(JSON.stringify(failures));`);
  const options = ['--expose-gc', '--no-warnings', '--input-type=module'];
  const { stdout, stderr } = attempt(process.execPath, [...options, '-e', script, '--', path]);
  const failures = JSON.parse(stdout || `["${stderr}"]`) as string[];
  assert.deepEqual(
    failures.filter((failure) => !mayBeUnsupported.includes(failure.split(' ')[0]!)),
    [],
  );
});
