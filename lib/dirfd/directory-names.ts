/** Names made, moved and removed: the part of DirectoryFd that changes directories. */

import { constants } from 'node:fs';
import { FsError, ownError } from '../errors.js';
import { native } from '../native/load.js';
import { DirectoryAttributes } from './directory-attributes.js';
import { INTERNAL, type SignalOptions } from './fd.js';
import { toInteger, toMode } from './flags.js';
import { checkBytes, checkRelative, type RelativePath } from './path.js';

export interface MkdirOptions extends SignalOptions {
  /** Permission bits, less the process's umask. Default 0o777. */
  readonly mode?: number | string | undefined;
  /** Makes missing parents too, and accepts a directory that is there already. Default false. */
  readonly recursive?: boolean | undefined;
}

export interface RenameOptions extends SignalOptions {
  /** Fail with EEXIST instead of replacing (RENAME_NOREPLACE). */
  readonly noReplace?: boolean | undefined;
  /** Swap the two entries; both must exist (RENAME_EXCHANGE). */
  readonly exchange?: boolean | undefined;
}

export interface ReadlinkOptions<E extends 'utf8' | 'buffer' = 'utf8' | 'buffer'> extends SignalOptions {
  /** `'buffer'` for targets that are not UTF-8. Default `'utf8'`. */
  readonly encoding?: E | undefined;
}

const RENAME_NOREPLACE = 1;
const RENAME_EXCHANGE = 2;

export abstract class DirectoryNames extends DirectoryAttributes {
  /**
   * Makes a directory.
   *
   * @returns with `recursive`, the first directory that was made, or undefined
   * @throws FsError EEXIST, ENOENT, ENOTDIR, ENOSPC, EROFS
   */
  async mkdir(path: RelativePath, options: MkdirOptions = {}): Promise<RelativePath | undefined> {
    const subject = this.subject('mkdir', path);
    checkRelative(path, subject);
    const mode = toMode(options.mode ?? 0o777, subject);
    const make = (at: RelativePath) =>
      this.perform(this.subject('mkdir', at), options.signal, (root) => native.mkdir(root, at, mode));
    if (!options.recursive) return void (await make(path));
    let first: RelativePath | undefined;
    for (const prefix of prefixes(path)) {
      try {
        await make(prefix);
        first ??= prefix;
      } catch (error) {
        if (!(error instanceof FsError) || error.code !== 'EEXIST') throw error;
      }
    }
    // EEXIST may have meant a file, or a symlink.
    const made = await this.stat(path, options);
    if (!made.isDirectory())
      throw ownError('ERR_DIRFD_CHANGED', 'something that is no directory stands there', subject);
    return first;
  }
  mkdirSync(path: RelativePath, mode: number | string = 0o777): void {
    const subject = this.subject('mkdir', path);
    checkRelative(path, subject);
    const bits = toMode(mode, subject);
    this.performSync(subject, (root) => native.mkdirSync(root, path, bits));
  }

  /** Removes an empty directory. */
  async rmdir(path: RelativePath, options: SignalOptions = {}): Promise<void> {
    const subject = this.subject('rmdir', path);
    checkRelative(path, subject);
    await this.perform(subject, options.signal, (root) => native.rmdir(root, path));
  }
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
    const { flags, subject } = this.#renaming(from, to, options);
    await this.#withSecond(directory, subject, (other) =>
      this.perform(subject, options.signal, (root) => native.rename(root, from, other, to, flags)),
    );
  }
  renameSync(from: RelativePath, to: RelativePath, options?: RenameOptions): void;
  renameSync(from: RelativePath, directory: DirectoryNames, to: RelativePath, options?: RenameOptions): void;
  renameSync(from: RelativePath, ...rest: unknown[]): void {
    const [directory, to, options = {}] = secondPlace<RenameOptions>(this, rest);
    const { flags, subject } = this.#renaming(from, to, options);
    directory.performSync(subject, (other) =>
      this.performSync(subject, (root) => native.renameSync(root, from, other, to, flags)),
    );
  }

  /** Makes a hard link, `link(existing, name)` or `link(existing, directory, name)`; to a symlink, a link to the link itself. */
  link(existing: RelativePath, to: RelativePath, options?: SignalOptions): Promise<void>;
  link(existing: RelativePath, directory: DirectoryNames, to: RelativePath, options?: SignalOptions): Promise<void>;
  async link(existing: RelativePath, ...rest: unknown[]): Promise<void> {
    const [directory, to, options = {}] = secondPlace<SignalOptions>(this, rest);
    const subject = this.subject('link', existing, to);
    checkRelative(existing, subject);
    checkRelative(to, subject);
    await this.#withSecond(directory, subject, (other) =>
      this.perform(subject, options.signal, (root) => native.link(root, existing, other, to)),
    );
  }

  /** Makes a symlink at `path`. The target is stored as it is, whatever it says; argument order as in node:fs. */
  async symlink(target: RelativePath, path: RelativePath, options: SignalOptions = {}): Promise<void> {
    const subject = this.subject('symlink', path);
    this.#checkTarget(target, path);
    await this.perform(subject, options.signal, (root) => native.symlink(root, path, target));
  }
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
  readlinkSync(path: RelativePath): string {
    const subject = this.subject('readlink', path);
    checkRelative(path, subject);
    return this.performSync(subject, (root) => native.readlinkSync(root, path)).toString('utf8');
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
    await this.perform(subject, options.signal, (root) => native.mknod(root, path, mode, device));
  }

  /** Makes a FIFO. Permission bits are less the umask. */
  async mkfifo(path: RelativePath, mode: number | string = 0o666, options: SignalOptions = {}): Promise<void> {
    const bits = toMode(mode, this.subject('mkfifo', path));
    await this.mknod(path, constants.S_IFIFO | bits, 0, options);
  }

  #checkTarget(target: RelativePath, path: RelativePath): void {
    const subject = this.subject('symlink', path);
    checkRelative(path, subject);
    checkBytes(target, 'target', subject);
    if (target.length === 0) throw ownError('ERR_DIRFD_INVALID_PATH', 'the target is empty', subject);
  }

  #renaming(from: RelativePath, to: RelativePath, { noReplace, exchange }: RenameOptions) {
    const subject = this.subject('rename', from, to);
    checkRelative(from, subject);
    checkRelative(to, subject);
    if (noReplace && exchange) {
      throw ownError('ERR_DIRFD_INVALID_ARGUMENT', "'noReplace' and 'exchange' exclude each other", subject);
    }
    return { subject, flags: (noReplace ? RENAME_NOREPLACE : 0) | (exchange ? RENAME_EXCHANGE : 0) };
  }

  /** Holds the other directory open while the call runs. */
  async #withSecond<T>(
    directory: DirectoryNames,
    subject: ReturnType<DirectoryNames['subject']>,
    act: (other: (typeof directory)[typeof INTERNAL]['handle']) => Promise<T>,
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

/** 'a/b/c' → 'a', 'a/b', 'a/b/c'; bytes likewise. */
function* prefixes(path: RelativePath): Generator<RelativePath> {
  const slash = typeof path === 'string' ? '/' : 0x2f;
  for (let at = 1; at < path.length; at++) {
    if (path[at] === slash && path[at - 1] !== slash) yield path.slice(0, at) as RelativePath;
  }
  yield path;
}
