// The durable layers in the race: files replaced whole, transactions over many, locks, and backups made, kept and put back.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { DirectoryFd } from 'dirfd';
import { writeText } from 'dirfd/atomic';
import { BackupManager } from 'dirfd/backup';
import { FileLock, LockManager } from 'dirfd/lock';
import { FileTransaction } from 'dirfd/transaction';
import type { Operation } from './operations.js';
import type { Stage } from './stage.js';

export const durable: readonly Operation[] = [
  { name: 'atomic write', sides: ['source'], makes: 'source', run: writeAll },
  { name: 'transaction', sides: ['source'], makes: 'source', run: transact },
  { name: 'lock', sides: ['source'], makes: 'source', run: lockAll },
  { name: 'backup', sides: ['source'], makes: 'destination', run: backUp },
  { name: 'backup, into a store', sides: ['destination'], makes: 'destination', run: keepIn },
  { name: 'restore', sides: ['destination'], makes: 'destination', run: restore },
];

/** From the attacked tree, paths to the pair and through it. */
const pathsOf = ({ arena }: Stage): readonly string[] => [...new Set([...pairOf(arena), ...arena.paths.many])];

async function writeAll({ arena, tree, attempt }: Stage): Promise<void> {
  const ways = [
    {},
    { symlinks: 'replace' },
    { symlinks: 'follow-beneath' },
    { backup: true },
    { createOnly: true },
  ] as const;
  for (const path of [...arena.paths.many, ...arena.paths.many.map((each) => `${each}-new`)]) {
    for (const how of ways) {
      await attempt(`writeText '${path}' ${JSON.stringify(how)}`, () =>
        writeText({ directory: tree, path }, 'inside', { durability: 'none', ...how }),
      );
    }
  }
}

/** One transaction a step, so that a refusal of one does not keep the others from being tried. */
async function transact({ arena, tree, attempt }: Stage): Promise<void> {
  const pair = pairOf(arena);
  const parent = parentOf(arena);
  const steps: Readonly<Record<string, (transaction: FileTransaction, path: string) => Promise<unknown>>> = {
    read: (transaction, path) => transaction.read(`${path}/file`),
    write: (transaction, path) => transaction.write(`${path}/file`, 'inside'),
    'write itself': (transaction, path) => transaction.write(path, 'inside'),
    mkdir: (transaction, path) => transaction.mkdir(`${path}/made`),
    chmod: (transaction, path) => transaction.chmod(`${path}/file`, 0o600),
    copy: (transaction, path) => transaction.copy(path, `${parent}copied`),
    move: (transaction, path) => transaction.move(`${path}/file`, `${parent}moved`),
    delete: (transaction, path) => transaction.delete(path),
  };
  for (const [name, step] of Object.entries(steps)) {
    for (const path of pair) {
      await attempt(`transaction, ${name} '${path}'`, async () => {
        const transaction = await FileTransaction.begin(tree);
        try {
          await step(transaction, path);
          await transaction.commit();
        } finally {
          await transaction.rollback();
        }
      });
    }
  }
}

async function lockAll(stage: Stage): Promise<void> {
  const { arena, tree, attempt } = stage;
  const timeout = 100;
  for (const path of [...pathsOf(stage), ...pairOf(arena).map((each) => `${each}/lock`)]) {
    await attempt(`FileLock '${path}'`, async () => {
      await using lock = await FileLock.open(tree, path);
      await lock.lock({ shared: true, timeout });
      await lock.lock({ timeout });
      await lock.holder();
      await lock.breakLock();
    });
    await attempt(`FileLock '${path}', broken`, async () => {
      await using holder = await FileLock.open(tree, path);
      await using breaker = await FileLock.open(tree, path);
      await holder.lock({ timeout });
      await breaker.breakLock();
      await breaker.lock({ timeout });
    });
  }
  await attempt('LockManager', async () => {
    await using locks = await LockManager.open(tree);
    await using _lease = await locks.acquire('id', { timeout });
  });
}

async function backUp(stage: Stage): Promise<void> {
  const { arena, tree, attempt } = stage;
  const store = join(arena.destination, 'store');
  mkdirSync(store, { recursive: true });
  await using backups = await BackupManager.open(store);
  for (const path of ['.', ...pathsOf(stage)]) {
    await attempt(`createBackup '${path}'`, () => backups.createBackup(tree, path));
  }
}

/** The attacked tree holds the store, and in the pair a further one. */
async function keepIn(stage: Stage): Promise<void> {
  const { arena, tree, attempt } = stage;
  const other = stage.other as DirectoryFd;
  for (const path of ['.', ...pairOf(arena)]) {
    await attempt(`backup into '${path}'`, async () => {
      await using directory = await tree.openDirectory(path);
      await using backups = await BackupManager.open(directory);
      for (let version = 0; version < 2; version++) await backups.createBackup(other, 'sub');
      await backups.prune({ count: 1 });
    });
  }
}

async function restore(stage: Stage): Promise<void> {
  const { arena, tree, attempt } = stage;
  const store = join(arena.source, 'store');
  mkdirSync(store);
  await using backups = await BackupManager.open(store);
  const { id } = await backups.createBackup(stage.other as DirectoryFd, 'sub');
  for (const path of [...pathsOf(stage), ...pathsOf(stage).map((each) => `${each}-new`)]) {
    for (const how of [{}, { keepAs: 'kept' }, { path: 'file' }]) {
      await attempt(`restoreBackup '${path}' ${JSON.stringify(how)}`, () => backups.restoreBackup(id, tree, path, how));
    }
  }
}

function parentOf(arena: Stage['arena']): string {
  return arena.way === '' ? '' : `${arena.way}/`;
}

/** The two names, or, where those are the tree's own, something in it. */
function pairOf(arena: Stage['arena']): readonly string[] {
  return arena.depth === 0 ? ['sub'] : [`${parentOf(arena)}victim`, `${parentOf(arena)}trap`];
}
