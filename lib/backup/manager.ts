/** BackupManager: versions of files and trees in a store of their own. */

import { type ObservedOptions, observed } from '../audit/observe.js';
import type { Difference } from '../copy/verify.js';
import type { DirectoryFd } from '../dirfd/directory-fd.js';
import type { SignalOptions } from '../dirfd/fd.js';
import type { RelativePath } from '../dirfd/path.js';
import { type ErrorSubject, FsError } from '../errors.js';
import { BackupError, operationError, SafeOperationError } from '../operation-errors.js';
import { toCompression } from './compression.js';
import {
  type BackupSource,
  CONTENT,
  type CreateBackupOptions,
  createVersion,
  nameOf,
  parentAmong,
  sourceOf,
} from './create.js';
import { byPath, type DiffSide, diffSides } from './diff.js';
import { type BackupVersion, describeVersion, type Manifest, readManifest } from './manifest.js';
import { readPoints } from './points.js';
import { removeWhole } from './remove-whole.js';
import {
  RESTORING,
  type RestoreBackupOptions,
  type RestoreReport,
  removeRestoreDebris,
  restoreVersion,
} from './restore.js';
import { keptBy, type RetentionPolicy } from './retention.js';
import { isId, openVersion, Store, type StoreUse } from './store.js';
import { type BackupReport, checkReadable, verifyVersion } from './verify.js';

/** What a manager is opened with. */
export interface BackupManagerOptions extends ObservedOptions, SignalOptions {}

/** How old versions are removed. */
export interface PruneBackupOptions extends SignalOptions {
  /** Tell what would be removed, and remove nothing. Default false. */
  readonly dryRun?: boolean | undefined;
  /** Milliseconds to wait for those who make or read versions. Default 30,000. */
  readonly timeout?: number | undefined;
}

/** Which old versions are looked at, and how they are removed. */
export interface PruneVersionsOptions extends PruneBackupOptions {
  /** Only versions of this source, as they name it; all others stay. Default: of every source. */
  readonly source?: string | undefined;
}

/** What a prune has removed, and what it has kept. */
export interface PruneReport {
  readonly removed: readonly string[];
  readonly kept: readonly string[];
  /** Those whose manifest cannot be read, and why: they stay, of whatever source, and count for no rule. */
  readonly unreadable: readonly UnreadableVersion[];
}

/** A version that does not even say what should be in it. */
export interface UnreadableVersion {
  readonly id: string;
  readonly error: FsError;
}

/**
 * Keeps versions of files and trees, with all metadata, and puts them back. The store should belong to the one who uses it. Several
 * processes may use it at a time. Close it with `await using`, or close().
 */
export class BackupManager implements AsyncDisposable {
  readonly #store: Store;
  readonly #observed: ObservedOptions;

  private constructor(store: Store, { logger, audit }: BackupManagerOptions) {
    this.#store = store;
    this.#observed = { logger, audit };
  }

  /** @param directory of the store, which must be there; the first version makes it one, all else refuses what is none with a StorageError */
  static async open(directory: DirectoryFd | string | URL, options: BackupManagerOptions = {}): Promise<BackupManager> {
    return new BackupManager(await Store.open(directory, options), options);
  }

  /** The store's own directory. */
  get path(): string {
    return this.#store.root.path;
  }

  /**
   * Makes a version of an entry and all that lies below it. It is there, whole and on the device, when the promise resolves, and not at all
   * before.
   *
   * @param path in the directory; `'.'` for the directory itself. The version's source is its real path, where /proc tells that of the directory
   * @throws BackupError with its cause; FsError ERR_DIRFD_UNSUPPORTED for a compression that this Node does not have
   */
  async createBackup(
    directory: DirectoryFd,
    path: RelativePath,
    options: CreateBackupOptions = {},
  ): Promise<BackupVersion> {
    const source: BackupSource = { directory, path };
    const facts = { operation: 'backup.create', directory: this.path, path: nameOf(source) };
    return observed(facts, this.#observed, async (note) => {
      toCompression(options.compress, this.#subject('create', nameOf(source)));
      await this.#store.make();
      await using use = await this.#store.use(options);
      await removeDebris(use);
      const name = await sourceOf(source);
      const parent = parentAmong(await this.#list(use), name);
      const version = await this.#told('create', nameOf(source), options.signal, () =>
        createVersion(use.versions, { ...source, name }, parent, options),
      );
      const { id, fileCount, bytes, notKeptCount } = version;
      note({ version: id, files: fileCount, bytes, notKeptCount });
      return version;
    });
  }

  /** Ids of all versions, the oldest first, with those whose manifest cannot be read. */
  async ids(options: SignalOptions = {}): Promise<string[]> {
    await using use = await this.#store.use(options);
    return await idsIn(use);
  }

  /** All versions, the oldest first. One whose manifest cannot be read is left out; {@link ids} has it, and {@link verify} tells. */
  async list(options: SignalOptions & { readonly source?: string | undefined } = {}): Promise<BackupVersion[]> {
    if (await this.#store.isEmpty()) return [];
    await using use = await this.#store.use(options);
    return ofSource(await this.#list(use), options.source);
  }

  /** @throws VersionError, IntegrityError */
  async get(id: string, options: SignalOptions = {}): Promise<Manifest> {
    await using use = await this.#store.use(options);
    await using version = await openVersion(use.versions, id, this.#subject('get', id));
    return await readManifest(version, this.#subject('get', id));
  }

  /** Reads every byte of a version again. @throws VersionError; IntegrityError for a damaged manifest */
  async verify(id: string, options: SignalOptions = {}): Promise<BackupReport> {
    const subject = this.#subject('verify', id);
    await using use = await this.#store.use(options);
    await using version = await openVersion(use.versions, id, subject);
    const manifest = await readManifest(version, subject);
    checkReadable(manifest, subject);
    await using content = await version.openDirectory(CONTENT);
    return await verifyVersion(content, manifest, options);
  }

  /** What differs between two versions, or between a version and a directory of today; everything that copyTree keeps. */
  async diff(id: string, other: string | DirectoryFd, options: SignalOptions = {}): Promise<readonly Difference[]> {
    await using use = await this.#store.use(options);
    await using a = await this.#side(use, id);
    if (typeof other !== 'string') return await diffSides(a, { tree: other }, options);
    await using b = await this.#side(use, other);
    return await diffSides(a, b, options);
  }

  /**
   * Puts a version back, or a part of it: verified first, and in one step. Readers see what was there, or what is restored.
   *
   * @param path of the target in the directory, which need not be where the version came from
   * @throws IntegrityError where the version is damaged: then nothing was changed
   */
  async restoreBackup(
    id: string,
    directory: DirectoryFd,
    path: RelativePath,
    options: RestoreBackupOptions = {},
  ): Promise<RestoreReport> {
    return this.restoreAgain(id, directory, path, options);
  }

  /** @internal As {@link restoreBackup}, over what an earlier attempt with the same `staging` has left. */
  async restoreAgain(
    id: string,
    directory: DirectoryFd,
    path: RelativePath,
    options: RestoreBackupOptions & { readonly staging?: string },
  ): Promise<RestoreReport> {
    const subject = this.#subject('restore', id);
    const facts = {
      operation: 'backup.restore',
      directory: directory.path,
      path: nameOf({ directory, path }),
      version: id,
    };
    return observed(facts, this.#observed, async (note) => {
      await using use = await this.#store.use(options);
      await using version = await openVersion(use.versions, id, subject);
      const manifest = await readManifest(version, subject);
      const report = await restoreVersion(version, manifest, { directory, path }, options, subject);
      note({ replaced: report.replaced, notKeptCount: report.notKeptCount });
      return report;
    });
  }

  /**
   * Removes versions that no rule keeps, and no pending recovery point needs, and what was left in the store by those who were killed. The
   * rules hold for each source by itself. Waits for those who make or read versions.
   */
  async prune(policy: RetentionPolicy, options: PruneVersionsOptions = {}): Promise<PruneReport> {
    const { timeout = 30_000, signal, dryRun, source } = options;
    const facts = { operation: 'backup.prune', directory: this.path, policy };
    return observed(facts, this.#observed, async (note) => {
      await using use = await this.#store.useAlone({ timeout, signal });
      const unreadable: UnreadableVersion[] = [];
      const versions = ofSource(await this.#list(use, (version) => unreadable.push(version)), source);
      const kept = keptBy(policy, versions, Date.now(), this.#subject('prune'));
      for (const id of await this.#neededByPoints()) kept.add(id);
      const removed = versions.map(({ id }) => id).filter((id) => !kept.has(id));
      note({ removed });
      if (!dryRun) {
        await removeDebris(use);
        await removeVersions(use, removed);
      }
      return { removed, kept: versions.map(({ id }) => id).filter((id) => kept.has(id)), unreadable };
    });
  }

  /** Removes one version. @throws VersionError */
  async remove(id: string, options: PruneBackupOptions = {}): Promise<void> {
    const { timeout = 30_000, signal } = options;
    const facts = { operation: 'backup.remove', directory: this.path, version: id };
    await observed(facts, this.#observed, async () => {
      await using use = await this.#store.useAlone({ timeout, signal });
      await (await openVersion(use.versions, id, this.#subject('remove', id))).close();
      await removeVersions(use, [id]);
    });
  }

  /**
   * Removes what was left by those who were killed: unfinished versions in the store, unfinished restores in `directories`. Nobody may be
   * restoring into those through another store.
   *
   * @returns the names of what was removed
   */
  async cleanup(directories: readonly DirectoryFd[] = [], options: PruneBackupOptions = {}): Promise<string[]> {
    const { timeout = 30_000, signal } = options;
    return observed({ operation: 'backup.cleanup', directory: this.path }, this.#observed, async (note) => {
      await using use = await this.#store.useAlone({ timeout, signal });
      const removed = [...use.debris];
      await removeDebris(use);
      for (const directory of directories) {
        const found = await removeRestoreDebris(directory);
        if (found > 0) removed.push(`${directory.path}/${RESTORING}*`);
      }
      note({ removed });
      return removed;
    });
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** @internal Where recovery points are kept. @param how to make the store where there is none */
  async openPoints(how: { readonly make?: boolean } = {}): Promise<DirectoryFd> {
    if (how.make) await this.#store.make();
    return this.#store.openPart('points');
  }

  /** @internal Nothing has been put into it yet. */
  isEmpty(): Promise<boolean> {
    return this.#store.isEmpty();
  }

  async #side(use: StoreUse, id: string): Promise<DiffSide & AsyncDisposable> {
    const subject = this.#subject('diff', id);
    await using version = await openVersion(use.versions, id, subject);
    const { files } = await readManifest(version, subject);
    const tree = await version.openDirectory(CONTENT);
    return { tree, files: byPath(files), [Symbol.asyncDispose]: () => tree.close() };
  }

  async #neededByPoints(): Promise<string[]> {
    await using points = await this.openPoints();
    return (await readPoints(points)).flatMap(({ version }) => version ?? []);
  }

  async #list(use: StoreUse, onUnreadable?: (version: UnreadableVersion) => void): Promise<BackupVersion[]> {
    const found: BackupVersion[] = [];
    for (const id of await idsIn(use)) {
      try {
        await using version = await use.versions.openDirectory(id);
        found.push(describeVersion(await readManifest(version, this.#subject('list', id))));
      } catch (error) {
        // Damaged, unreadable, no directory, …: one bad version must not keep the others from being used.
        if (!(error instanceof FsError)) throw error;
        onUnreadable?.({ id, error });
      }
    }
    return found;
  }

  /** Failures of dirfd's own become the cause of a BackupError. */
  async #told<T>(verb: string, path: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (signal?.aborted || error instanceof SafeOperationError) throw error;
      const why = `no backup was made: ${error instanceof Error ? error.message : String(error)}`;
      throw operationError(BackupError, 'ERR_DIRFD_BACKUP', why, this.#subject(verb, path), error);
    }
  }

  #subject(verb: string, path?: string): ErrorSubject {
    return { verb, directory: this.path, path };
  }
}

function ofSource(versions: BackupVersion[], source: string | undefined): BackupVersion[] {
  return source === undefined ? versions : versions.filter((version) => version.source === source);
}

async function idsIn({ versions }: StoreUse): Promise<string[]> {
  return (await versions.readdir()).filter(isId).sort();
}

async function removeVersions(use: StoreUse, ids: readonly string[]): Promise<void> {
  for (const id of ids) await use.versions.rename(id, `.old-${id}`, { noReplace: true });
  await use.versions.sync();
  for (const id of ids) await removeWhole(use.versions, `.old-${id}`);
}

async function removeDebris({ versions, debris }: StoreUse): Promise<void> {
  for (const name of debris) await removeWhole(versions, name);
}
