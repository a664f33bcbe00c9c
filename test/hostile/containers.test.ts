// Places that allow less: seccomp filters under no_new_privs, user namespaces. What is refused is done in another way, or told.
import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { attempt, type Finished } from '../fixtures/command.js';
import { assertSameTree } from '../fixtures/compare.js';
import { compiled } from '../fixtures/compile.js';
import { importable } from '../fixtures/ordinary-user.js';
import { type RefusableSyscall, withRefused } from '../fixtures/seccomp.js';
import { temporaryDirectory } from '../fixtures/temporary.js';
import { requireRoot } from '../fixtures/tools.js';
import { names, plain } from '../fixtures/trees.js';

const script = importable(`
  import { copyTree, DirectoryFd } from 'dirfd';
  const [, source, destination] = process.argv;
  try {
    await using_(await DirectoryFd.open(source));
    const report = await copyTree(source, destination, { onError: 'continue' });
    const errors = report.errors.map(({ path, error }) => path + ' ' + error.code);
    const notKept = report.notKept.map(({ path, what, code }) => [path, what, code].join(' '));
    console.log(JSON.stringify({ errors, notKept }));
  } catch (error) {
    console.log(JSON.stringify({ errors: [[error.code, error.syscall, error.directory].join(' ')], notKept: [] }));
  }
  async function using_(directory) {
    await directory.stat('names/files');
    await directory.close();
  }
`);

interface Told {
  readonly errors: readonly string[];
  readonly notKept: readonly string[];
}

function toldBy({ stdout, stderr }: Finished): Told {
  assert.notEqual(stdout, '', stderr);
  return JSON.parse(stdout) as Told;
}

function trees(base: string): { readonly source: string; readonly destination: string } {
  const source = join(base, 'source');
  for (const name of ['names', 'plain']) mkdirSync(join(source, name), { recursive: true });
  names(join(source, 'names'));
  plain(join(source, 'plain'));
  return { source, destination: join(base, 'destination') };
}

function command({ source, destination }: { readonly source: string; readonly destination: string }): string[] {
  return [process.execPath, '--input-type=module', '-e', script, '--', source, destination];
}

const refusals: Readonly<Record<string, readonly RefusableSyscall[]>> = {
  openat2: ['openat2'],
  // The C library asks fstatat(2) instead; mount ids are then unknown.
  statx: ['statx'],
  io_uring: ['io_uring_setup'],
  'all that is younger than Linux 4.5': [
    ...(['openat2', 'statx', 'io_uring_setup', 'copy_file_range', 'fchmodat2', 'faccessat2', 'close_range'] as const),
    ...(['setxattrat', 'getxattrat', 'listxattrat', 'removexattrat'] as const),
  ],
};

for (const [what, syscalls] of Object.entries(refusals)) {
  test(`where a filter knows no ${what}, a copy is the same`, (t) => {
    const seccomp = compiled(t, 'seccomp');
    if (seccomp === undefined) return;
    const made = trees(temporaryDirectory(t));
    const { errors, notKept } = toldBy(withRefused(seccomp, 'ENOSYS', syscalls, command(made)));
    assert.deepEqual([errors, notKept], [[], []]);
    assertSameTree(made.source, made.destination);
  });
}

for (const what of ['openat2', 'io_uring'] as const) {
  test(`where a filter forbids ${what} with EPERM, as old container profiles do, a copy is the same`, (t) => {
    const seccomp = compiled(t, 'seccomp');
    if (seccomp === undefined) return;
    const made = trees(temporaryDirectory(t));
    const { errors, notKept } = toldBy(withRefused(seccomp, 'EPERM', refusals[what]!, command(made)));
    assert.deepEqual([errors, notKept], [[], []]);
    assertSameTree(made.source, made.destination);
  });
}

test('where a filter forbids statx with EPERM, the first verb says so, and nothing is made', (t) => {
  const seccomp = compiled(t, 'seccomp');
  if (seccomp === undefined) return;
  const made = trees(temporaryDirectory(t));
  const { errors } = toldBy(withRefused(seccomp, 'EPERM', ['statx'], command(made)));
  assert.deepEqual(errors, [`EPERM statx ${made.source}`]);
  assert.throws(() => statSync(made.destination), { code: 'ENOENT' });
});

test('in a user namespace, owners that it does not know are told, and their set-user-id files are made without', (t) => {
  if (!requireRoot(t)) return;
  if (attempt('unshare', ['-Ur', 'true']).status !== 0) return t.skip('needs the right to make a user namespace');
  const base = temporaryDirectory(t);
  const [source, destination] = [join(base, 'source'), join(base, 'destination')];
  mkdirSync(join(source, 'names/files'), { recursive: true });
  for (const [name, owner] of Object.entries({ ours: 0, theirs: 12345 })) {
    writeFileSync(join(source, name), name);
    chownSync(join(source, name), owner, owner);
    chmodSync(join(source, name), 0o4755);
  }
  const { errors, notKept } = toldBy(attempt('unshare', ['-Ur', ...command({ source, destination })]));
  assert.deepEqual(errors, []);
  assert.ok(
    notKept.some((line) => line.startsWith('theirs owner ')),
    notKept.join(', '),
  );
  const modeOf = (name: string): string => (statSync(join(destination, name)).mode & 0o7777).toString(8);
  assert.deepEqual([modeOf('ours'), modeOf('theirs')], ['4755', '755']);
  assert.equal(statSync(join(destination, 'theirs')).uid, 0);
});
