// A file system that lies about sizes, inode numbers, kinds and names: what is there is copied, every failure is named, nothing waits or crashes.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { copyTree, DirectoryFd, type FsError, removeTree, verifyTree, walk } from 'dirfd';
import { attempt } from '../fixtures/command.js';
import { compiled } from '../fixtures/compile.js';
import { repositoryRoot } from '../fixtures/repository.js';
import { temporaryDirectory } from '../fixtures/temporary.js';
import { requireRoot } from '../fixtures/tools.js';

const hugest = '9223372036854775807';

/** The mounted liar, or nothing with a skip. */
async function liar(t: TestContext): Promise<{ readonly lies: string; readonly base: string } | undefined> {
  if (!requireRoot(t)) return undefined;
  if (!existsSync('/dev/fuse')) {
    t.skip('needs /dev/fuse, which a container may lack');
    return undefined;
  }
  const program = compiled(t, 'liar', 'fuse3');
  if (program === undefined) return undefined;
  const base = temporaryDirectory(t);
  const lies = join(base, 'lies');
  mkdirSync(lies);
  const child = spawn(program, [lies], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  t.after(async () => {
    attempt('umount', ['-l', lies]);
    child.kill();
    await exited;
  });
  await Promise.race([once(child.stdout, 'data'), exited]);
  // "mounted" is said in answer to the kernel's first message; a stat returns when that is done.
  statSync(lies);
  return { lies, base };
}

test('files are copied as they read, whatever size they claim', async (t) => {
  const stage = await liar(t);
  if (stage === undefined) return;
  const copy = join(stage.base, 'copy');
  for (const options of [{}, { update: true }, { update: true, dryRun: true }]) {
    const { errors } = await copyTree(stage.lies, copy, { onError: 'continue', ...options });
    if ('dryRun' in options) continue;
    assert.deepEqual(
      errors.map(({ path, error }) => [path, error.code, error.syscall]),
      [['failing', 'EIO', 'pread']],
    );
    const lengths = { short: 10, grows: 1000, procish: 1000, huge: 10, 'directory/file': 10 };
    for (const [name, length] of Object.entries(lengths)) {
      assert.equal(readFileSync(join(copy, name), 'latin1'), name.at(-1)!.repeat(length), name);
    }
    assert.ok(statSync(join(copy, 'masked')).isDirectory(), 'a directory that is listed as a file is a directory');
    assert.ok(!existsSync(join(copy, 'failing')), 'what could not be read to its end is not there');
  }
});

test('a comparison tells sizes past 2^53 exactly, and which of two files with one inode number is another', async (t) => {
  const stage = await liar(t);
  if (stage === undefined) return;
  const copy = join(stage.base, 'copy');
  await copyTree(stage.lies, copy, { onError: 'continue' });
  const { differences, errors } = await verifyTree(stage.lies, copy);
  const told = new Map(differences.map((difference) => [`${difference.path} ${difference.field}`, difference]));
  assert.equal(told.get('huge size')?.a, `${hugest} bytes`);
  // The number and the link count say that it is one file with two names, and so it was copied.
  assert.ok(told.has('twin-b content') || told.has('twin-a content'));
  assert.ok(told.has('failing missing') || errors.some(({ path }) => path === 'failing'));
});

test('a walk reports what can be looked at, with exact sizes on the command line too', async (t) => {
  const stage = await liar(t);
  if (stage === undefined) return;
  const kinds = new Map<string, string>();
  for await (const entry of walk(stage.lies)) kinds.set(entry.path, entry.kind);
  assert.deepEqual(
    [kinds.get('masked'), kinds.get('directory'), kinds.get('ghost')],
    ['directory', 'directory', undefined],
  );
  assert.ok(kinds.has('directory/file'), 'a directory with the inode number of the root is entered');
  const command = [join(repositoryRoot, 'dist/cli/dirfd.js'), 'walk', '--json', stage.lies];
  const { stdout, status, stderr } = attempt(process.execPath, command);
  assert.equal(status, 0, stderr);
  assert.match(stdout, new RegExp(`"path":"huge".*"size":${hugest},`));
});

test('a size past 2^53 - 1 is refused by name where it would have to be a number', async (t) => {
  const stage = await liar(t);
  if (stage === undefined) return;
  await using directory = await DirectoryFd.open(stage.lies);
  const stat = await directory.stat('huge');
  assert.equal(stat.exactSize, BigInt(hugest));
  assert.throws(() => stat.size, { code: 'ERR_DIRFD_TOO_LARGE' });
  await assert.rejects(directory.readFile('huge'), (error: FsError) => {
    assert.match(error.message, new RegExp(`has ${hugest} bytes, more than a Buffer, readFile 'huge' in '.*/lies'`));
    return error.code === 'ERR_DIRFD_TOO_LARGE';
  });
});

test('a tree that cannot be removed is left, with an error for each entry', async (t) => {
  const stage = await liar(t);
  if (stage === undefined) return;
  await using directory = await DirectoryFd.open(stage.lies);
  const { entries, errors } = await removeTree(directory, { onError: 'continue' });
  assert.equal(entries, 0);
  const failed = new Map(errors.map(({ path, error }) => [path, error.code]));
  assert.equal(failed.get('./short'), 'ENOSYS');
  assert.equal(failed.get('./directory/file'), 'ENOSYS');
});
