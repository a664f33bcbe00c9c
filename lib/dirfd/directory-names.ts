/** Names made, moved and removed: the part of DirectoryFd that changes directories. */

import { constants } from 'node:fs';
import { type ErrorSubject, ownError } from '../errors.js';
import { native } from '../native/load.js';
import type { NativeHandle } from '../native/surface.js';
import { DirectoryAttributes } from './directory-attributes.js';
import { INTERNAL, type SignalOptions } from './fd.js';
import { toInteger, toMode } from './flags.js';
import { checkBytes, checkRelative, type RelativePath } from './path.js';

/** How a directory is made. */
export interface MkdirOptions extends SignalOptions {
  /** Permission bits, less the process's umask. Default 0o777. */
  readonly mode?: number | string | undefined;
  /** Makes missing parents too, and accepts a directory that is there already. Default false. */
  readonly recursive?: boolean | undefined;
}

/** What becomes of an entry that has the new name already. Default: it is replaced. */
export interface RenameOptions extends SignalOptions {
  /** Fail with EEXIST instead of replacing (RENAME_NOREPLACE). */
  readonly noReplace?: boolean | undefined;
  /** Swap the two entries; both must exist (RENAME_EXCHANGE). */
  readonly exchange?: boolean | undefined;
}

/** The form of a symlink's target. */
export interface ReadlinkOptions<E extends 'utf8' | 'buffer' = 'utf8' | 'buffer'> extends SignalOptions {
  /** `'buffer'` for targets that are not UTF-8. Default `'utf8'`. */
  readonly encoding?: E | undefined;
}

const RENAME_NOREPLACE = 1;
const RENAME_EXCHANGE = 2;

/** The verbs of DirectoryFd that make, move and remove names. */
export abstract class DirectoryNames extends DirectoryAttributes {
  /**
   * Makes a directory (mkdir(2)). A bare mode is accepted for the options, as node:fs does.
   *
   * @returns with `recursive`, the first directory that was made, or undefined where all were there
   * @throws FsError EEXIST, ENOENT, ENOTDIR, ENOSPC, EROFS
   */
  async mkdir(path: RelativePath, options: MkdirOptions | number | string = {}): Promise<RelativePath | undefined> {
    const { subject, mode, recursive, signal } = this.#making(path, options);
    if (!recursive) return void (await this.perform(subject, signal, (root) => native.mkdir(root, path, mode)));
    return firstMade(path, await this.perform(subject, signal, (root) => native.mkdirs(root, path, mode)));
  }
  /** {@link mkdir}, on the calling thread. */
  mkdirSync(path: RelativePath, options: MkdirOptions | number | string = {}): RelativePath | undefined {
    const { subject, mode, recursive } = this.#making(path, options);
    if (!recursive) return void this.performSync(subject, (root) => native.mkdirSync(root, path, mode));
    return firstMade(
      path,
      this.performSync(subject, (root) => native.mkdirsSync(root, path, mode)),
    );
  }

  /** Removes an empty directory. */
  async rmdir(path: RelativePath, options: SignalOptions = {}): Promise<void> {
    const subject = this.subject('rmdir', path);
    checkRelative(path, subject);
    await this.perform(subject, options.signal, (root) => native.rmdir(root, path));
  }
  /** {@link rmdir}, on the calling thread. */
  rmdirSync(path: RelativePath): void {
    const subject = this.subject('rmdir', path);
    checkRelative(path, subject);
    this.performSync(subject, (root) => native.rmdirSync(root, path));
  }

  /** Removes anything but a directory; of a symlink, the link itself. */
  async unlink(path: RelativePath, options: SignalOptions = {}): Promise<void> {
    const subject = this.subject('unlink', path);
    checkRelative(path, subject);
    await this.perform(subject, options.signal, (root) => native.unlink(root, path));
  }
  /** {@link unlink}, on the calling thread. */
  unlinkSync(path: RelativePath): void {
    const subject = this.subject('unlink', path);
    checkRelative(path, subject);
    this.performSync(subject, (root) => native.unlinkSync(root, path));
  }

  /**
   * Renames within this directory, or into another one: `rename(from, to)` or `rename(from, directory, to)`.
   *
   * @throws FsError EXDEV between file systems, EEXIST with `noReplace`, EINVAL where the file system has no such flag (renameat2(2))
   */
  rename(from: RelativePath, to: RelativePath, options?: RenameOptions): Promise<void>;
  rename(from: RelativePath, directory: DirectoryNames, to: RelativePath, options?: RenameOptions): Promise<void>;
  async rename(from: RelativePath, ...rest: unknown[]): Promise<void> {
    const [directory, to, options = {}] = secondPlace<RenameOptions>(this, rest);
    const { flags, subject } = this.#renaming(from, directory, to, options);
    await this.#withSecond(directory, subject, (other) =>
      this.perform(subject, options.signal, (root) => native.rename(root, from, other, to, flags)),
    );
  }
  /** {@link rename}, on the calling thread. */
  renameSync(from: RelativePath, to: RelativePath, options?: RenameOptions): void;
  renameSync(from: RelativePath, directory: DirectoryNames, to: RelativePath, options?: RenameOptions): void;
  renameSync(from: RelativePath, ...rest: unknown[]): void {
    const [directory, to, options = {}] = secondPlace<RenameOptions>(this, rest);
    const { flags, subject } = this.#renaming(from, directory, to, options);
    directory.performSync(subject, (other) =>
      this.performSync(subject, (root) => native.renameSync(root, from, other, to, flags)),
    );
  }

  /** Makes a hard link, `link(existing, name)` or `link(existing, directory, name)`; to a symlink, a link to the link itself. */
  link(existing: RelativePath, to: RelativePath, options?: SignalOptions): Promise<void>;
  link(existing: RelativePath, directory: DirectoryNames, to: RelativePath, options?: SignalOptions): Promise<void>;
  async link(existing: RelativePath, ...rest: unknown[]): Promise<void> {
    const [directory, to, options = {}] = secondPlace<SignalOptions>(this, rest);
    const subject = this.#between('link', existing, directory, to);
    await this.#withSecond(directory, subject, (other) =>
      this.perform(subject, options.signal, (root) => native.link(root, existing, other, to)),
    );
  }

  /** {@link link}, on the calling thread. */
  linkSync(existing: RelativePath, to: RelativePath): void;
  linkSync(existing: RelativePath, directory: DirectoryNames, to: RelativePath): void;
  linkSync(existing: RelativePath, ...rest: unknown[]): void {
    const [directory, to] = secondPlace(this, rest);
    const subject = this.#between('link', existing, directory, to);
    directory.performSync(subject, (other) =>
      this.performSync(subject, (root) => native.linkSync(root, existing, other, to)),
    );
  }

  /** Makes a symlink at `path`. The target is stored as it is, whatever it says; argument order as in node:fs. */
  async symlink(target: RelativePath, path: RelativePath, options: SignalOptions = {}): Promise<void> {
    const subject = this.subject('symlink', path);
    this.#checkTarget(target, path);
    await this.perform(subject, options.signal, (root) => native.symlink(root, path, target));
  }
  /** {@link symlink}, on the calling thread. */
  symlinkSync(target: RelativePath, path: RelativePath): void {
    this.#checkTarget(target, path);
    this.performSync(this.subject('symlink', path), (root) => native.symlinkSync(root, path, target));
  }

  /** The target of a symlink. */
  readlink(path: RelativePath, options?: ReadlinkOptions<'utf8'>): Promise<string>;
  readlink(path: RelativePath, options: ReadlinkOptions<'buffer'>): Promise<Buffer>;
  async readlink(path: RelativePath, options: ReadlinkOptions = {}): Promise<string | Buffer> {
    const subject = this.subject('readlink', path);
    checkRelative(path, subject);
    const target = await this.perform(subject, options.signal, (root) => native.readlink(root, path));
    return options.encoding === 'buffer' ? target : target.toString('utf8');
  }
  /** {@link readlink}, on the calling thread. */
  readlinkSync(path: RelativePath, options?: ReadlinkOptions<'utf8'>): string;
  readlinkSync(path: RelativePath, options: ReadlinkOptions<'buffer'>): Buffer;
  readlinkSync(path: RelativePath, options: ReadlinkOptions = {}): string | Buffer {
    const subject = this.subject('readlink', path);
    checkRelative(path, subject);
    const target = this.performSync(subject, (root) => native.readlinkSync(root, path));
    return options.encoding === 'buffer' ? target : target.toString('utf8');
  }

  /**
   * Makes a file, FIFO, socket or device node (mknod(2)).
   *
   * @param mode type and permission bits, as `fs.constants.S_IFCHR | 0o600`; less the umask
   * @param device makedev(3) of a device node
   * @throws FsError EPERM for devices without CAP_MKNOD
   */
  async mknod(
    path: RelativePath,
    mode: number,
    device: number | bigint = 0,
    options: SignalOptions = {},
  ): Promise<void> {
    const subject = this.subject('mknod', path);
    checkRelative(path, subject);
    toInteger(mode, 'mode', 0, 0o177777, subject);
    if (typeof device !== 'bigint') toInteger(device, 'device', 0, Number.MAX_SAFE_INTEGER, subject);
    else if (device < 0n || device >= 2n ** 63n) {
      throw ownError('ERR_DIRFD_INVALID_ARGUMENT', `device must be between 0 and 2^63, not ${device}`, subject);
    }
    await this.perform(subject, options.signal, (root) => native.mknod(root, path, mode, device));
  }

  /** Makes a FIFO. Permission bits are less the umask. */
  async mkfifo(path: RelativePath, mode: number | string = 0o666, options: SignalOptions = {}): Promise<void> {
    const subject = this.subject('mkfifo', path);
    checkRelative(path, subject);
    const bits = constants.S_IFIFO | toMode(mode, subject);
    await this.perform(subject, options.signal, (root) => native.mknod(root, path, bits, 0));
  }

  #making(path: RelativePath, options: MkdirOptions | number | string) {
    const subject = this.subject('mkdir', path);
    checkRelative(path, subject);
    const { mode = 0o777, recursive = false, signal } = typeof options === 'object' ? options : { mode: options };
    return { subject, mode: toMode(mode, subject), recursive, signal };
  }

  #checkTarget(target: RelativePath, path: RelativePath): void {
    const subject = this.subject('symlink', path);
    checkRelative(path, subject);
    checkBytes(target, 'target', subject);
    if (target.length === 0) throw ownError('ERR_DIRFD_INVALID_PATH', 'the target is empty', subject);
  }

  #renaming(from: RelativePath, directory: DirectoryNames, to: RelativePath, { noReplace, exchange }: RenameOptions) {
    const subject = this.#between('rename', from, directory, to);
    if (noReplace && exchange) {
      throw ownError('ERR_DIRFD_INVALID_ARGUMENT', "'noReplace' and 'exchange' exclude each other", subject);
    }
    return { subject, flags: (noReplace ? RENAME_NOREPLACE : 0) | (exchange ? RENAME_EXCHANGE : 0) };
  }

  #between(verb: string, from: RelativePath, directory: DirectoryNames, to: RelativePath): ErrorSubject {
    const subject = { ...this.subject(verb, from), dest: to };
    checkRelative(from, this.subject(verb, from));
    checkRelative(to, { ...this.subject(verb, to), directory: directory.path });
    return directory === this ? subject : { ...subject, destDirectory: directory.path };
  }

  /** Holds the other directory open while the call runs. */
  async #withSecond<T>(
    directory: DirectoryNames,
    subject: ErrorSubject,
    act: (other: NativeHandle) => Promise<T>,
  ): Promise<T> {
    const { handle, hold } = directory[INTERNAL];
    const release = hold(subject);
    try {
      return await act(handle);
    } finally {
      release();
    }
  }
}

/** (to, options?) or (directory, to, options?), as the overloads above allow. */
function secondPlace<O>(here: DirectoryNames, rest: unknown[]): [DirectoryNames, RelativePath, O | undefined] {
  const [first, second, third] = rest;
  if (first instanceof DirectoryNames) return [first, second as RelativePath, third as O | undefined];
  return [here, first as RelativePath, second as O | undefined];
}

/** In the form that the caller gave the path in. */
function firstMade(path: RelativePath, made: Buffer): RelativePath | undefined {
  if (made.length === 0) return undefined;
  return typeof path === 'string' ? made.toString('utf8') : made;
}
