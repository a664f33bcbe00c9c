// A store whose user is killed at a chosen system call, and what rsync says of every version afterwards.
import assert from 'node:assert/strict';
import { appendFileSync, linkSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { DirectoryFd } from 'dirfd';
import { BackupManager } from 'dirfd/backup';
import { run } from '../fixtures/command.js';
import { treeDifferences } from '../fixtures/compare.js';
import { type KillPoint, killedAt, killPointsOf } from '../fixtures/kill.js';
import { repositoryRoot } from '../fixtures/repository.js';
import { quickTemporaryRoot, type TestLike, temporaryDirectory } from '../fixtures/temporary.js';

/** What changes the disk, or waits for it. Between two of these a crash leaves the same as before the second. */
const CALLS: readonly string[] = [
  ...['mkdirat', 'linkat', 'renameat', 'renameat2', 'unlinkat', 'fchmod', 'fchown', 'utimensat', 'fsetxattr'],
  ...['copy_file_range', 'ioctl', 'pwrite64', 'ftruncate', 'fsync', 'syncfs'],
];

export const programs = {
  create: `await backups.createBackup(directory, 'data', { compress: 'gzip' });`,
  prune: 'await backups.prune({ count: 1 });',
  clean: 'await backups.prune({ count: 1 });',
  restore: `await backups.restoreBackup((await backups.ids())[0], directory, 'data');`,
};
export type Program = keyof typeof programs;

/** Two versions, the second sharing some of the first; data/ as it is now, and in was/ID each version as it was. */
export async function makeStore(t: TestLike): Promise<string> {
  const root = temporaryDirectory(t, 'dirfd-test-', quickTemporaryRoot());
  for (const name of ['data', 'data/deep', 'data/deep/er', 'store', 'was']) mkdirSync(join(root, name));
  writeFileSync(join(root, 'data/a'), 'first');
  writeFileSync(join(root, 'data/text'), 'a line of text\n'.repeat(2000), { mode: 0o640 });
  linkSync(join(root, 'data/text'), join(root, 'data/deep/text'));
  writeFileSync(join(root, 'data/deep/er/same'), 'unchanged\n'.repeat(2000), { mode: 0o600 });
  writeFileSync(join(root, 'data/deep/small'), 'small');
  symlinkSync('nowhere', join(root, 'data/deep/link'));
  await using directory = await DirectoryFd.open(root);
  await using backups = await BackupManager.open(join(root, 'store'));
  for (const compress of ['gzip', false] as const) {
    const { id } = await backups.createBackup(directory, 'data', { compress });
    run('cp', ['-a', join(root, 'data'), join(root, 'was', id)]);
    appendFileSync(join(root, 'data/a'), 'and more\n'.repeat(1000));
  }
  run('cp', ['-a', join(root, 'data'), join(root, 'was/now')]);
  return root;
}

export function copyOf(root: string, t: TestLike): string {
  const copy = temporaryDirectory(t, 'dirfd-test-', quickTemporaryRoot());
  run('cp', ['-a', `${root}/.`, copy]);
  return copy;
}

/** What a backup and a prune leave that are killed in the middle: a version that has never become one, and one that is none any more. */
export function leaveDebris(root: string, t: TestLike): void {
  const versions = join(root, 'store/versions');
  const debris = (prefix: string) => readdirSync(versions).filter((name) => name.startsWith(prefix));
  assert.ok(runKilled('create', root, { call: 'utimensat', nth: 1 }));
  const [unmade = 'none'] = debris('.new-');
  run('cp', ['-a', join(versions, unmade), join(root, unmade)]);
  const unlinks = killPoints('prune', copyOf(root, t)).filter(({ call }) => call === 'unlinkat').length;
  assert.ok(runKilled('prune', root, { call: 'unlinkat', nth: unlinks - 1 }));
  // The prune has cleaned that up first.
  run('mv', [join(root, unmade), versions]);
  assert.deepEqual([debris('.new-').length, debris('.old-').length], [1, 1]);
}

export function killPoints(program: Program, root: string): KillPoint[] {
  return killPointsOf(commandOf(program, root), CALLS, env);
}

export function runKilled(program: Program, root: string, point: KillPoint): boolean {
  return killedAt(commandOf(program, root), point, env);
}

/** What others' tools find: data/ is as it was or as it was to be, every version whole and restored equal, no debris after a prune. */
export async function judge(root: string, program: Program, where: string): Promise<'old' | 'new'> {
  await using directory = await DirectoryFd.open(root);
  await using backups = await BackupManager.open(join(root, 'store'));
  const known = readdirSync(join(root, 'was')).filter((name) => name !== 'now');
  const ids = await backups.ids();
  const versions = await backups.list();
  assert.deepEqual(
    versions.map(({ id }) => id),
    ids,
    where,
  );
  const end = judgeEnd(root, program, known, ids, where);
  for (const id of ids) {
    assert.deepEqual((await backups.verify(id)).faults, [], where);
    await backups.restoreBackup(id, directory, 'check');
    const expected = known.includes(id) ? id : 'now';
    assert.deepEqual(treeDifferences(join(root, 'was', expected), join(root, 'check')), [], `${where}: ${id}`);
  }
  const { kept } = await backups.prune({ count: 1 });
  assert.deepEqual(readdirSync(join(root, 'store/versions')), kept, where);
  // The newest of each source; that of the copied place has another path.
  assert.deepEqual(kept, [...new Map(versions.map(({ source, id }) => [source, id])).values()].sort(), where);
  await backups.cleanup([directory]);
  assert.deepEqual(readdirSync(root).sort(), ['check', 'data', 'store', 'was'], where);
  assert.deepEqual(readdirSync(join(root, 'store')).sort(), ['points', 'store.lock', 'versions'], where);
  return end;
}

function judgeEnd(root: string, program: Program, known: string[], ids: readonly string[], where: string) {
  const isAs = (name: string) => treeDifferences(join(root, 'was', name), join(root, 'data')).length === 0;
  if (program === 'restore') {
    assert.deepEqual(ids, known, where);
    const end = isAs('now') ? 'old' : 'new';
    assert.ok(end === 'old' || isAs(known[0] as string), `${where}: neither old nor new`);
    return end;
  }
  assert.ok(isAs('now'), where);
  if (program === 'create') assert.deepEqual(ids.slice(0, 2), known, where);
  else assert.equal(ids.at(-1), known.at(-1), where);
  return ids.length === known.length ? 'old' : 'new';
}

/** One thread for libuv's work, and by taskset one for a copy's, because strace counts by thread. */
const env = { ...process.env, UV_THREADPOOL_SIZE: '1', NODE_OPTIONS: '' };

function commandOf(program: Program, root: string): string[] {
  const entry = (name: string) => JSON.stringify(pathToFileURL(join(repositoryRoot, `dist/${name}main.js`)).href);
  const script = `
    import { DirectoryFd } from ${entry('')};
    import { BackupManager } from ${entry('backup/')};
    const directory = await DirectoryFd.open(process.argv[1]);
    const backups = await BackupManager.open(process.argv[1] + '/store');
    ${programs[program]}`;
  return ['taskset', '-c', '0', process.execPath, '--input-type=module', '-e', script, '--', root];
}
