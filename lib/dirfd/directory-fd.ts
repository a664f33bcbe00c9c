/** DirectoryFd: a directory held open, and everything relative to it. */

import { fileURLToPath } from 'node:url';
import { type ErrorSubject, ownError, toFsError } from '../errors.js';
import { native } from '../native/load.js';
import { type NativeHandle, type NativePath, SCOPES } from '../native/surface.js';
import { DirectoryNames } from './directory-names.js';
import { DirectoryEntry, NamedEntry, PackedBatch } from './entries.js';
import { abortable, checkSignal, labelOf, type SignalOptions } from './fd.js';
import { FileFd, type ReadFileOptions, type WriteFileOptions } from './file-fd.js';
import { toMode, toOpenFlags } from './flags.js';
import { checkBytes, checkRelative, type RelativePath } from './path.js';
import { type RemoveOptions, type RemoveReport, removeTree } from './remove-tree.js';

/**
 * How symlinks on the way are treated; no mode ever leaves the directory. `'no-symlinks'` refuses them with ELOOP. `'beneath'` follows
 * those that stay inside, and refuses absolute ones and those that climb out. `'in-root'` follows all as if this were the root of the
 * file system. Magic links (/proc/self/exe and the like) are refused by all.
 */
export type Resolution = (typeof SCOPES)[number];

/** How a directory is opened, and what holds for every path below it. */
export interface OpenDirectoryOptions extends SignalOptions {
  /** Default: `'no-symlinks'`, or what the directory it is opened from has. Inherited by what is opened from it. */
  readonly resolution?: Resolution | undefined;
  /** False: a path that leads onto another mount fails with EXDEV. Default true, or inherited. */
  readonly crossMounts?: boolean | undefined;
}

/** How a file is opened. */
export interface OpenFileOptions extends SignalOptions {
  /** As in node:fs ('r', 'w', 'wx', 'a', 'r+', …), or or-ed `fs.constants.O_*`. Default `'r'`. */
  readonly flags?: string | number | undefined;
  /** Permission bits of a new file, less the umask. Default 0o666. */
  readonly mode?: number | string | undefined;
}

/** What {@link DirectoryFd.readdir} gives. */
export interface ReaddirOptions<E extends 'utf8' | 'buffer' = 'utf8' | 'buffer', T extends boolean = boolean>
  extends SignalOptions {
  /** `'buffer'` gives names as bytes, exact even where they are not UTF-8. Default `'utf8'`. */
  readonly encoding?: E | undefined;
  /** Entries with their kind instead of names. For their whole stat see {@link DirectoryFd.entries}. Default false. */
  readonly withFileTypes?: T | undefined;
}

/** {@link OpenFileOptions} for the open, {@link WriteFileOptions} for the rest. */
export interface WriteWholeFileOptions extends OpenFileOptions, WriteFileOptions {
  /** fsync before closing. Default false. */
  readonly flush?: boolean | undefined;
}

interface Policy {
  readonly resolution: Resolution;
  readonly crossMounts: boolean;
}

/**
 * A directory held open. Every path is relative to it, and none leads out of it (openat2(2)); the directory may be renamed or moved
 * meanwhile. Close it with `await using`, or close().
 */
export class DirectoryFd extends DirectoryNames {
  readonly #policy: Policy;

  private constructor(handle: NativeHandle, label: string, policy: Policy) {
    super(handle, 'DirectoryFd', label);
    this.#policy = policy;
  }

  /**
   * Opens a directory by the caller's own path, the only one in dirfd that may be absolute and may hold symlinks. From here on no path
   * from the root of the file system is used again.
   *
   * @throws FsError ENOENT, ENOTDIR, EACCES, EMFILE (openat(2))
   */
  static async open(path: string | Uint8Array | URL, options: OpenDirectoryOptions = {}): Promise<DirectoryFd> {
    const { native: bytes, subject, policy, label } = opening(path, options);
    options.signal?.throwIfAborted();
    try {
      const outcome = native.openRoot(bytes, SCOPES.indexOf(policy.resolution), policy.crossMounts);
      const handle = await (options.signal ? abortable(outcome, options.signal, native.closeSync) : outcome);
      return new DirectoryFd(handle, label, policy);
    } catch (thrown) {
      throw toFsError(thrown, native.callNames, subject);
    }
  }
  /** {@link open}, on the calling thread. */
  static openSync(path: string | Uint8Array | URL, options: OpenDirectoryOptions = {}): DirectoryFd {
    const { native: bytes, subject, policy, label } = opening(path, options);
    try {
      const handle = native.openRootSync(bytes, SCOPES.indexOf(policy.resolution), policy.crossMounts);
      return new DirectoryFd(handle, label, policy);
    } catch (thrown) {
      throw toFsError(thrown, native.callNames, subject);
    }
  }

  /** @internal A handle that native code has opened below `parent`, with the policy of that. */
  static adopt(handle: NativeHandle, parent: DirectoryFd, path: RelativePath): DirectoryFd {
    return new DirectoryFd(handle, labelOf(parent.path, path), parent.#policy);
  }

  /** How symlinks on the way are treated. */
  get resolution(): Resolution {
    return this.#policy.resolution;
  }
  /** Whether paths may lead onto other mounts. */
  get crossMounts(): boolean {
    return this.#policy.crossMounts;
  }

  /**
   * Opens a directory below this one, never through a symlink in the last place.
   *
   * @throws FsError ENOENT, ENOTDIR (also for a symlink), ELOOP, EACCES, ERR_DIRFD_PATH_ESCAPE
   */
  openDirectory(path: RelativePath, options: OpenDirectoryOptions = {}): Promise<DirectoryFd> {
    return this.#openDirectory('openDirectory', path, options, false);
  }
  /** As openDirectory, but a symlink in the last place is followed, as far as this handle's resolution allows. */
  openDirectoryFollow(path: RelativePath, options: OpenDirectoryOptions = {}): Promise<DirectoryFd> {
    return this.#openDirectory('openDirectoryFollow', path, options, true);
  }
  /** {@link openDirectory}, on the calling thread. */
  openDirectorySync(path: RelativePath, options: OpenDirectoryOptions = {}): DirectoryFd {
    const subject = this.subject('openDirectory', path);
    checkRelative(path, subject);
    const policy = toPolicy(options, this.#policy, subject);
    const handle = this.performSync(subject, (root) =>
      native.openDirectorySync(root, path, false, SCOPES.indexOf(policy.resolution), policy.crossMounts),
    );
    return new DirectoryFd(handle, labelOf(this.path, path), policy);
  }

  /**
   * Opens a regular file. Never blocks: FIFOs, sockets and devices are refused, unopened. Truncation ('w') happens only after the file is
   * known to be the regular file of that name.
   *
   * @throws FsError ENOENT, EEXIST, EISDIR, EACCES, ELOOP for a symlink, ERR_DIRFD_NOT_REGULAR
   */
  openFile(path: RelativePath, options?: OpenFileOptions): Promise<FileFd>;
  openFile(path: RelativePath, flags: string | number, mode?: number | string): Promise<FileFd>;
  openFile(path: RelativePath, how: OpenFileOptions | string | number = {}, mode?: number | string): Promise<FileFd> {
    return this.#openFile('openFile', path, how, mode, false);
  }
  /** As openFile, but a symlink in the last place is followed, as far as this handle's resolution allows. Creates nothing. */
  openFileFollow(path: RelativePath, options?: OpenFileOptions): Promise<FileFd>;
  openFileFollow(path: RelativePath, flags: string | number): Promise<FileFd>;
  openFileFollow(path: RelativePath, how: OpenFileOptions | string | number = {}): Promise<FileFd> {
    return this.#openFile('openFileFollow', path, how, undefined, true);
  }
  /** {@link openFile}, on the calling thread. */
  openFileSync(path: RelativePath, options?: OpenFileOptions): FileFd;
  openFileSync(path: RelativePath, flags: string | number, mode?: number | string): FileFd;
  openFileSync(path: RelativePath, how: OpenFileOptions | string | number = {}, mode?: number | string): FileFd {
    const subject = this.subject('openFile', path);
    const { flags, bits } = openFileArguments(path, how, mode, subject);
    const handle = this.performSync(subject, (root) => native.openFileSync(root, path, flags, bits, false));
    return FileFd.adopt(handle, this.path, path);
  }

  /** The names in a directory, '.' and '..' left out, in the file system's order (getdents64(2)). */
  readdir(path?: RelativePath, options?: ReaddirOptions<'utf8', false>): Promise<string[]>;
  readdir(path: RelativePath, options: ReaddirOptions<'buffer', false>): Promise<Buffer[]>;
  readdir(path: RelativePath, options: ReaddirOptions & { readonly withFileTypes: true }): Promise<NamedEntry[]>;
  async readdir(path: RelativePath = '.', options: ReaddirOptions = {}): Promise<string[] | Buffer[] | NamedEntry[]> {
    const subject = this.subject('readdir', path);
    checkRelative(path, subject);
    const list = async (stat: boolean) =>
      new PackedBatch(await this.perform(subject, options.signal, (root) => native.list(root, path, stat)));
    const batch = await list(false);
    // Some file systems keep no kinds in their directories (DT_UNKNOWN): then each entry is asked.
    return listed(options.withFileTypes && hasUnknownKinds(batch) ? await list(true) : batch, options);
  }
  /** {@link readdir}, on the calling thread. */
  readdirSync(path?: RelativePath, options?: ReaddirOptions<'utf8', false>): string[];
  readdirSync(path: RelativePath, options: ReaddirOptions<'buffer', false>): Buffer[];
  readdirSync(path: RelativePath, options: ReaddirOptions & { readonly withFileTypes: true }): NamedEntry[];
  readdirSync(path: RelativePath = '.', options: ReaddirOptions = {}): string[] | Buffer[] | NamedEntry[] {
    const subject = this.subject('readdir', path);
    checkRelative(path, subject);
    const list = (stat: boolean) =>
      new PackedBatch(this.performSync(subject, (root) => native.listSync(root, path, stat)));
    const batch = list(false);
    return listed(options.withFileTypes && hasUnknownKinds(batch) ? list(true) : batch, options);
  }

  /**
   * The entries of a directory with the whole stat of each, from one statx an entry. An entry that vanishes meanwhile is left out.
   *
   * @throws FsError also for one entry that cannot be stat'ed, naming it
   */
  async entries(path: RelativePath = '.', options: SignalOptions = {}): Promise<DirectoryEntry[]> {
    const subject = this.subject('entries', path);
    checkRelative(path, subject);
    const batch = new PackedBatch(await this.perform(subject, options.signal, (root) => native.list(root, path, true)));
    return indicesOf(batch).map((index) => {
      if (!batch.isError(index)) return new DirectoryEntry(batch, index);
      const name = Buffer.concat([Buffer.from(path), Buffer.from('/'), batch.nameBytes(index)]);
      throw toFsError(batch.failure(index), native.callNames, this.subject('entries', name));
    });
  }

  /** The whole content of a regular file, a Buffer without an encoding. As {@link openFile} it refuses whatever is no regular file. */
  readFile(path: RelativePath, options?: ReadFileOptions<null | undefined>): Promise<Buffer>;
  readFile(path: RelativePath, options: ReadFileOptions<BufferEncoding> | BufferEncoding): Promise<string>;
  async readFile(path: RelativePath, options: ReadFileOptions | BufferEncoding = {}): Promise<Buffer | string> {
    const signal = typeof options === 'string' ? undefined : options.signal;
    await using file = await this.openFile(path, { signal });
    return await file.readFile(options as ReadFileOptions<BufferEncoding>);
  }

  /**
   * Writes a whole file, in place: readers may see a part of it, and a crash may leave one. For replacement that is all or nothing, see
   * {@link createTemporaryFile}.
   */
  async writeFile(
    path: RelativePath,
    data: string | Uint8Array,
    options: WriteWholeFileOptions | BufferEncoding = {},
  ): Promise<void> {
    const how = typeof options === 'string' ? { encoding: options } : options;
    await using file = await this.openFile(path, { ...how, flags: how.flags ?? 'w' });
    await file.writeFile(data, how);
    if (how.flush) await file.sync();
  }

  /** Writes at the end of a file, which is made if there is none (O_APPEND). */
  async appendFile(
    path: RelativePath,
    data: string | Uint8Array,
    options: WriteWholeFileOptions | BufferEncoding = {},
  ): Promise<void> {
    const how = typeof options === 'string' ? { encoding: options } : options;
    await this.writeFile(path, data, { ...how, flags: how.flags ?? 'a' });
  }

  /**
   * A file without a name on this directory's file system (O_TMPFILE, open(2)), readable and writable. `file.linkInto(directory, name)`
   * gives it one, `{ replace: true }` the one of a file that is there; closed without, it vanishes. Where the file system has no nameless
   * files, it is made under a random name that begins with '.dirfd-', and that name vanishes in the same way.
   *
   * @throws FsError EACCES, ENOSPC, EROFS
   */
  async createTemporaryFile(options: SignalOptions & { readonly mode?: number | string } = {}): Promise<FileFd> {
    const subject = this.subject('createTemporaryFile');
    const mode = toMode(options.mode ?? 0o600, subject);
    const handle = await this.perform(
      subject,
      options.signal,
      (root) => native.openTemporary(root, mode),
      native.closeSync,
    );
    return FileFd.adopt(handle, this.path, '(temporary)');
  }

  /**
   * Removes an entry and all that lies below it; `'.'` empties this directory. Follows no symlink, never leaves the tree, needs few
   * descriptors at any depth, and runs on dirfd's own threads.
   *
   * @throws FsError the first failure, with the path of the entry, unless `onError` is `'continue'`: ENOENT without `force`, EACCES, EBUSY
   * for a mount point, ENOTEMPTY where somebody keeps filling the directory
   */
  async removeTree(path: RelativePath, options: RemoveOptions = {}): Promise<RemoveReport> {
    const subject = this.subject('removeTree', path);
    checkRelative(path, subject);
    return removeTree(path, options, this.crossMounts, subject, (call) => this.perform(subject, undefined, call));
  }

  /** Waits until this directory's own entries are on the device (fsync(2)). */
  async sync(options: SignalOptions = {}): Promise<void> {
    await this.perform(this.subject('sync'), options.signal, (root) => native.fsync(root));
  }

  /** Waits until all of the file system that holds this directory is on the device (syncfs(2)). */
  async syncFileSystem(options: SignalOptions = {}): Promise<void> {
    await this.perform(this.subject('syncFileSystem'), options.signal, (root) => native.syncfs(root));
  }

  async #openDirectory(
    verb: string,
    path: RelativePath,
    options: OpenDirectoryOptions,
    follow: boolean,
  ): Promise<DirectoryFd> {
    const subject = this.subject(verb, path);
    checkRelative(path, subject);
    const policy = toPolicy(options, this.#policy, subject);
    const scope = SCOPES.indexOf(policy.resolution);
    const handle = await this.perform(
      subject,
      options.signal,
      (root) => native.openDirectory(root, path, follow, scope, policy.crossMounts),
      native.closeSync,
    );
    return new DirectoryFd(handle, labelOf(this.path, path), policy);
  }

  async #openFile(
    verb: string,
    path: RelativePath,
    how: OpenFileOptions | string | number,
    mode: number | string | undefined,
    follow: boolean,
  ): Promise<FileFd> {
    const subject = this.subject(verb, path);
    const { flags, bits, signal } = openFileArguments(path, how, mode, subject);
    const handle = await this.perform(
      subject,
      signal,
      (root) => native.openFile(root, path, flags, bits, follow),
      native.closeSync,
    );
    return FileFd.adopt(handle, this.path, path);
  }
}

function openFileArguments(
  path: RelativePath,
  how: OpenFileOptions | string | number,
  mode: number | string | undefined,
  subject: ErrorSubject,
) {
  checkRelative(path, subject);
  const options: OpenFileOptions = typeof how === 'object' ? how : { flags: how, mode };
  const bits = toMode(options.mode ?? 0o666, subject);
  return { flags: toOpenFlags(options.flags ?? 'r', subject), bits, signal: options.signal };
}

function hasUnknownKinds(batch: PackedBatch): boolean {
  return indicesOf(batch).some((index) => batch.kind(index) === 'unknown');
}

function listed(batch: PackedBatch, { encoding, withFileTypes }: ReaddirOptions): string[] | Buffer[] | NamedEntry[] {
  const indices = indicesOf(batch);
  if (withFileTypes) return indices.map((index) => new NamedEntry(batch, index));
  return encoding === 'buffer' ? indices.map((index) => batch.nameBytes(index)) : indices.map((i) => batch.name(i));
}

function indicesOf(batch: PackedBatch): number[] {
  return Array.from({ length: batch.length }, (_, index) => index);
}

function opening(path: string | Uint8Array | URL, options: OpenDirectoryOptions) {
  const text: NativePath = path instanceof URL ? fileURLToPath(path) : path;
  const subject: ErrorSubject = { verb: 'open', path: text };
  checkBytes(text, 'path', subject);
  checkSignal(options.signal, subject);
  const label = typeof text === 'string' ? text : Buffer.from(text).toString('utf8');
  if (text.length === 0) throw ownError('ERR_DIRFD_INVALID_PATH', 'the path is empty', subject);
  const inherited: Policy = { resolution: 'no-symlinks', crossMounts: true };
  return { native: text, label, subject, policy: toPolicy(options, inherited, subject) };
}

function toPolicy({ resolution, crossMounts }: OpenDirectoryOptions, inherited: Policy, subject: ErrorSubject): Policy {
  if (resolution !== undefined && !SCOPES.includes(resolution)) {
    throw ownError(
      'ERR_DIRFD_INVALID_ARGUMENT',
      `unknown resolution '${String(resolution)}'; it is one of ${SCOPES.join(', ')}`,
      subject,
    );
  }
  if (crossMounts !== undefined && typeof crossMounts !== 'boolean') {
    throw ownError('ERR_DIRFD_INVALID_ARGUMENT', 'crossMounts must be a boolean', subject);
  }
  return { resolution: resolution ?? inherited.resolution, crossMounts: crossMounts ?? inherited.crossMounts };
}
