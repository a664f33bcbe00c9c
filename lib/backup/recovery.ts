/**
 * RecoveryManager: points to come back to. A point is a version of an entry, and a file in the store that says so until the operation is
 * done; after a crash, the points that are left say what was going on.
 *
 *   addRecoveryPoint ──▶ pending ──complete()──▶ gone: the operation stands
 *                           └────recover()─────▶ gone: the entry is as it was
 *
 * Points of other processes that live are theirs, and are left alone. Those who recover do so one after the other.
 *
 * Transactions that a crash has cut short are settled first, as their journals say: an entry is put back into a directory where nothing is half done.
 */

import { type ObservedOptions, observed } from '../audit/observe.js';
import { closeAll } from '../dirfd/close-all.js';
import type { DirectoryFd } from '../dirfd/directory-fd.js';
import type { SignalOptions } from '../dirfd/fd.js';
import { checkRelative } from '../dirfd/path.js';
import { FileLock } from '../lock/file-lock.js';
import { operationError, RecoveryError } from '../operation-errors.js';
import type { TransactionRoot } from '../transaction/site.js';
import type { BackupManager } from './manager.js';
import { plainPath, WHOLE } from './part.js';
import {
  HeldPoint,
  identityOf,
  isAtWork,
  isMadeIn,
  LeftPoints,
  type RecoveryPoint,
  readPoints,
  removePoint,
} from './points.js';
import { removeDurably } from './remove-whole.js';
import { IN_ITSELF, stagingOf } from './restore.js';
import { newId } from './store.js';
import {
  type PendingTransaction,
  pendingIn,
  type SettledTransactions,
  settleIn,
  type UnsettledTransactions,
} from './transactions.js';

/** Where a RecoveryManager looks, and who is told. */
export interface RecoveryManagerOptions extends ObservedOptions {
  /** Directories in which transactions work, held open or by path: what crashes have left of them is recovered, too. Default: none. */
  readonly transactionRoots?: readonly TransactionRoot[] | undefined;
}

/** What a recovery has come to. */
export interface RecoveryReport {
  /** Put back as they were. */
  readonly restored: readonly RecoveryPoint[];
  /** To be looked at: what could not be put back, and why; also where the directory is not given. The points stay. */
  readonly failed: readonly { readonly point: RecoveryPoint; readonly error: Error }[];
  /** Left alone: their processes, or threads, live. */
  readonly active: readonly RecoveryPoint[];
  /** Put back, but for this much of their metadata. */
  readonly notKeptCount: number;
  /** What became of transactions, directory by directory. */
  readonly transactions: readonly SettledTransactions[];
  /** Directories whose transactions could not be settled, or not all: a StateError names files that somebody has changed since. */
  readonly unsettled: readonly UnsettledTransactions[];
}

/** What a recovery would do. */
export interface RecoveryOutlook {
  /** Committed transactions: to be finished. */
  readonly redo: readonly PendingTransaction[];
  /** Transactions to be taken back, or forgotten before they have done anything. */
  readonly undo: readonly PendingTransaction[];
  /** Points whose entries are to be put back. */
  readonly restore: readonly RecoveryPoint[];
  /** Points that are left alone: their processes, or threads, live. */
  readonly active: readonly RecoveryPoint[];
  /** What only a person can decide, and why. */
  readonly lookAt: readonly ({ readonly point: RecoveryPoint; readonly error: Error } | UnsettledTransactions)[];
}

/** Which points are meant, and where their directories are. */
export interface RecoverOptions extends SignalOptions {
  /** Only points of this operation. */
  readonly operation?: string | undefined;
  /** The directory of a point that an earlier process has made, told by its inode; those of this manager's own are held open. */
  readonly directory?: DirectoryFd | undefined;
}

export class RecoveryManager implements AsyncDisposable {
  readonly #backups: BackupManager;
  readonly #observed: ObservedOptions;
  readonly #transactionRoots: readonly TransactionRoot[];
  /** By id, of the points that were made here. */
  readonly #held = new Map<string, HeldPoint>();

  /** @param backups stays the caller's, to be closed after this */
  constructor(backups: BackupManager, { logger, audit, transactionRoots = [] }: RecoveryManagerOptions = {}) {
    this.#backups = backups;
    this.#observed = { logger, audit };
    this.#transactionRoots = transactionRoots;
  }

  /**
   * Keeps what is there, before `operation` changes it. When the promise resolves, a crash can be recovered from.
   *
   * @param path of an entry in the directory, there or not; not '.', which only the directory around it could put back
   * @throws what failed; RecoveryError, with that as its cause, where the point may be there all the same
   */
  async addRecoveryPoint(
    operation: string,
    directory: DirectoryFd,
    path: string,
    options: SignalOptions = {},
  ): Promise<RecoveryPoint & { complete(): Promise<void> }> {
    const facts = { operation: 'backup.point', directory: directory.path, path, reason: operation };
    let point: RecoveryPoint | undefined;
    try {
      return await observed(facts, this.#observed, async (note) => {
        point = await this.#newPoint(operation, directory, path, options);
        note({ point: point.id, version: point.version });
        await this.#add(point, options);
        return { ...point, complete: () => this.#complete(point as RecoveryPoint) };
      });
    } catch (error) {
      // The operation will not begin, so there is nothing to come back from.
      throw point ? await this.#takeBack(point, error) : error;
    }
  }

  /** What was begun and neither completed nor recovered, the oldest first; also by processes that are no more. */
  async pending(): Promise<RecoveryPoint[]> {
    if (await this.#backups.isEmpty()) return [];
    await using points = await this.#backups.openPoints();
    return await readPoints(points);
  }

  /** What {@link recover} would do, and what it could not. Changes nothing. */
  async outlook(options: RecoverOptions = {}): Promise<RecoveryOutlook> {
    const { answers, failed } = await pendingIn(this.#transactionRoots);
    const versions = new Set((await this.#backups.isEmpty()) ? [] : await this.#backups.ids(options));
    const restore: RecoveryPoint[] = [];
    const { failed: left, active } = await this.#eachPoint(options, async (point) => {
      if (point.version !== undefined && !versions.has(point.version))
        throw unrecoverable(point, 'its version is gone');
      restore.push(point);
    });
    return {
      redo: answers.filter(({ state }) => state === 'committed'),
      undo: answers.filter(({ state }) => state === 'going-back' || state === 'staged'),
      restore,
      active,
      lookAt: [...failed, ...left],
    };
  }

  /**
   * As {@link recover}.
   *
   * @param error what went wrong: for logger and audit trail
   * @returns true where nothing is left to be looked at
   */
  async attemptRecovery(error: unknown, options: RecoverOptions = {}): Promise<boolean> {
    const { failed, unsettled } = await this.recover(error, options);
    return failed.length === 0 && unsettled.length === 0;
  }

  /**
   * Settles what crashes have left of transactions, then puts back what the pending points say, the newest first, and tells what was done. Begun
   * again after a crash, it ends the same. Where a point cannot be put back, older ones of the same entry wait for it.
   */
  async recover(error: unknown, options: RecoverOptions = {}): Promise<RecoveryReport> {
    const reason = messageOf(error);
    const facts = { operation: 'backup.recover', directory: this.#backups.path, reason };
    return observed(facts, this.#observed, async (note) => {
      const restored: RecoveryPoint[] = [];
      let notKeptCount = 0;
      const { signal } = options;
      const { answers, failed: unsettled } = await settleIn(this.#transactionRoots, {
        ...this.#observed,
        edits: 'report',
        signal,
      });
      await using _alone = await this.#alone(options);
      const { failed, active } = await this.#eachPoint(options, async (point, place) => {
        notKeptCount += await this.#undo(point, place, { signal });
        restored.push(point);
      });
      note({
        restored: restored.map(nameOfPoint),
        failed: failed.map(({ point }) => nameOfPoint(point)),
        active: active.map(nameOfPoint),
        unsettled: unsettled.map(({ root }) => root),
      });
      return { restored, failed, active, notKeptCount, transactions: answers, unsettled };
    });
  }

  /**
   * Accepts what is there now, for all pending points but those of processes that live, and removes what was left unfinished. Transactions are settled,
   * files that somebody has changed since staying as they are.
   *
   * @returns the points that were given up
   * @throws the first failure of a transaction's recovery, when all else has been done
   */
  async emergencyCleanup(): Promise<RecoveryPoint[]> {
    const facts = { operation: 'backup.emergency-cleanup', directory: this.#backups.path };
    return observed(facts, this.#observed, async (note) => {
      const { failed } = await settleIn(this.#transactionRoots, { ...this.#observed, edits: 'keep' });
      await using _alone = await this.#alone({});
      const points = (await this.#pendingByMaker()).flatMap(({ point, isActive }) => (isActive ? [] : point));
      note({ accepted: points.map(nameOfPoint) });
      try {
        // Before the points are given up, and their directories with them.
        if (!(await this.#backups.isEmpty()))
          await this.#backups.cleanup([...this.#held.values()].map(({ directory }) => directory));
      } finally {
        for (const point of points) await this.#forget(point);
      }
      if (failed[0]) throw failed[0].error;
      return points;
    });
  }

  async close(): Promise<void> {
    const held = [...this.#held.values()];
    this.#held.clear();
    await closeAll(held);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /**
   * Tries the points that are meant, the newest first. Where one stays, older ones of what overlaps it are not tried: put back later, it would
   * bring a state from between.
   *
   * @returns those that stay, and why, and those that are left alone
   */
  async #eachPoint(
    { operation, directory, signal }: RecoverOptions,
    attempt: (point: RecoveryPoint, place: DirectoryFd) => Promise<void>,
  ): Promise<Pick<RecoveryReport, 'failed' | 'active'>> {
    const failed: { point: RecoveryPoint; error: Error }[] = [];
    const active: RecoveryPoint[] = [];
    const left = new LeftPoints();
    for (const { point, isActive } of (await this.#pendingByMaker()).reverse()) {
      const isMeant = operation === undefined || operation === point.operation;
      if (isActive) {
        // Also one that is not meant: what lies around its entry would be put back under somebody's hands.
        left.add(point);
        if (isMeant) active.push(point);
      }
      if (isActive || !isMeant) continue;
      try {
        if (left.overlap(point)) throw unrecoverable(point, 'a newer point of the same entry stands in the way');
        const place = this.#held.get(point.id)?.directory ?? directory;
        const isItsOwn = place !== undefined && (place !== directory || (await isMadeIn(point, directory)));
        if (!isItsOwn) throw unrecoverable(point, 'the directory is not given');
        await attempt(point, place);
      } catch (thrown) {
        signal?.throwIfAborted();
        left.add(point);
        failed.push({ point, error: thrown instanceof Error ? thrown : new Error(String(thrown)) });
      }
    }
    return { failed, active };
  }

  /** @returns how much of the metadata could not be kept */
  async #undo(point: RecoveryPoint, place: DirectoryFd, { signal }: SignalOptions): Promise<number> {
    const { id, version, path } = point;
    let notKeptCount = 0;
    if (version === undefined) await removeDurably(place, path);
    else {
      const staging = stagingOf(id);
      ({ notKeptCount } = await this.#backups.restoreAgain(version, place, path, { signal, staging }));
    }
    await this.#forget(point);
    return notKeptCount;
  }

  /** All that is pending, the oldest first, and whether it is somebody else's who lives. */
  async #pendingByMaker(): Promise<{ readonly point: RecoveryPoint; readonly isActive: boolean }[]> {
    const pending = await this.pending();
    if (pending.length === 0) return [];
    await using points = await this.#backups.openPoints();
    const told: { point: RecoveryPoint; isActive: boolean }[] = [];
    // One by one: each is opened, and there may be more than descriptors.
    for (const point of pending) told.push({ point, isActive: await isAtWork(points, point) });
    return told;
  }

  /** Nobody else recovers; where nothing is pending, there is nothing to wait for. */
  async #alone({ signal }: SignalOptions): Promise<FileLock | undefined> {
    if ((await this.pending()).length === 0) return undefined;
    await using points = await this.#backups.openPoints();
    const lock = await FileLock.open(points, 'lock', { allowNetwork: true });
    try {
      await lock.lock({ signal });
      return lock;
    } catch (error) {
      await lock.close();
      throw error;
    }
  }

  /** Keeps what is there, and holds the directory. */
  async #newPoint(
    operation: string,
    directory: DirectoryFd,
    path: string,
    options: SignalOptions,
  ): Promise<RecoveryPoint> {
    const subject = { verb: 'addRecoveryPoint', directory: directory.path, path };
    const plain = plainPath(checkRelative(path, subject));
    if (plain === WHOLE) throw operationError(RecoveryError, 'ERR_DIRFD_RECOVERY', IN_ITSELF, subject);
    const time = new Date();
    const existed = await directory.exists(path);
    const version = existed
      ? await this.#backups.createBackup(directory, path, { ...options, label: operation })
      : undefined;
    const point: RecoveryPoint = {
      id: newId(time),
      operation,
      directory: directory.path,
      ...identityOf(await directory.stat('.')),
      path: Buffer.from(plain, 'latin1').toString('utf8'),
      ...(version ? { version: version.id } : {}),
      time: time.toISOString(),
    };
    this.#held.set(point.id, new HeldPoint(point.id, await directory.openDirectory('.')));
    return point;
  }

  async #add(point: RecoveryPoint, options: SignalOptions): Promise<void> {
    await this.#record(point);
    // A prune that looked at the points before this one was there may have taken the version away; a later one sees it.
    if (point.version === undefined || (await this.#backups.ids(options)).includes(point.version)) return;
    const subject = { verb: 'addRecoveryPoint', directory: point.directory, path: point.path };
    const why = 'its version was pruned meanwhile; try again';
    throw operationError(RecoveryError, 'ERR_DIRFD_RECOVERY', why, subject);
  }

  /** @returns the error to be thrown: the one that was first, or, where the point may stay, one that says so, with that as its cause */
  async #takeBack(point: RecoveryPoint, error: unknown): Promise<unknown> {
    const failure = await this.#forget(point).then(
      () => undefined,
      (thrown: unknown) => ({ thrown }),
    );
    await this.#release(point).catch(() => {});
    if (!failure) return error;
    const isGone = await this.pending().then(
      (points) => !points.some(({ id }) => id === point.id),
      () => false,
    );
    if (isGone) return error;
    const why =
      `${messageOf(error)}; its recovery point ${point.id} could not be taken back and may stay pending ` +
      `(${messageOf(failure.thrown)}): a recovery would put the entry back`;
    const subject = { verb: 'addRecoveryPoint', directory: point.directory, path: point.path };
    return operationError(RecoveryError, 'ERR_DIRFD_RECOVERY', why, subject, error);
  }

  async #complete(point: RecoveryPoint): Promise<void> {
    const { id, operation: reason, directory, path } = point;
    const facts = { operation: 'backup.complete', directory, path, reason, point: id };
    await observed(facts, this.#observed, () => this.#forget(point));
  }

  async #record(point: RecoveryPoint): Promise<void> {
    await using points = await this.#backups.openPoints({ make: true });
    await this.#held.get(point.id)?.record(points, point);
  }

  async #forget(point: RecoveryPoint): Promise<void> {
    await using points = await this.#backups.openPoints();
    await removePoint(points, point);
    await this.#release(point);
  }

  async #release(point: RecoveryPoint): Promise<void> {
    const held = this.#held.get(point.id);
    this.#held.delete(point.id);
    await held?.[Symbol.asyncDispose]();
  }
}

function unrecoverable({ directory, path }: RecoveryPoint, why: string): RecoveryError {
  return operationError(RecoveryError, 'ERR_DIRFD_RECOVERY', why, { verb: 'recover', directory, path });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function nameOfPoint({ directory, path }: RecoveryPoint): string {
  return `${directory}/${path}`;
}
