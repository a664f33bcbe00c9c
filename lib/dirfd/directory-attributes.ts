/** What a file is, asked and changed by its name in a directory: the part of DirectoryFd that touches inodes only. */

import { constants } from 'node:fs';
import type { ErrorSubject } from '../errors.js';
import { FsError } from '../errors.js';
import { native } from '../native/load.js';
import { Fd, type SignalOptions } from './fd.js';
import { toId, toInteger, toMode } from './flags.js';
import { checkBytes, checkRelative, type RelativePath } from './path.js';
import { Stat } from './stat.js';
import { type TimeInput, toTimespec } from './times.js';
import { decodeList, type SetXattrOptions, toValue, toXattrFlags } from './xattrs.js';

/** What statfs(2) tells of a file system, under node:fs's names and two more. Blocks are of `bsize` bytes. */
export interface StatFs {
  /** Magic number of the file system's type: 0xef53 ext4, 0x01021994 tmpfs, … */
  readonly type: number;
  /** Size of a block, in bytes. */
  readonly bsize: number;
  /** In all, free, and free for users without privilege: blocks of `bsize` bytes. */
  readonly blocks: number;
  readonly bfree: number;
  readonly bavail: number;
  /** Inodes; 0 where the file system has no fixed number of them. */
  readonly files: number;
  /** Inodes that are free. */
  readonly ffree: number;
  /** Longest name, in bytes. */
  readonly namelen: number;
  /** Whether it is mounted read-only. */
  readonly readOnly: boolean;
}

/** The verbs of DirectoryFd that ask and change what an entry is. None follows a symlink in the last place, but for those that say so. */
export abstract class DirectoryAttributes extends Fd {
  /** @internal */
  protected subject(verb: string, path?: RelativePath, dest?: RelativePath): ErrorSubject {
    return { verb, directory: this.path, path, dest };
  }

  /**
   * The status of an entry; of a symlink, its own. One statx(2).
   *
   * @throws FsError ENOENT, ENOTDIR, EACCES, ELOOP
   */
  async stat(path: RelativePath = '.', options: SignalOptions = {}): Promise<Stat> {
    const subject = this.subject('stat', path);
    checkRelative(path, subject);
    return new Stat(await this.perform(subject, options.signal, (root) => native.stat(root, path, false)));
  }
  /** {@link stat}, on the calling thread. */
  statSync(path: RelativePath = '.'): Stat {
    const subject = this.subject('stat', path);
    checkRelative(path, subject);
    return new Stat(this.performSync(subject, (root) => native.statSync(root, path, false)));
  }

  /** The status of what a path leads to, a symlink in the last place followed as far as this handle's resolution allows. */
  async statFollow(path: RelativePath, options: SignalOptions = {}): Promise<Stat> {
    const subject = this.subject('statFollow', path);
    checkRelative(path, subject);
    return new Stat(await this.perform(subject, options.signal, (root) => native.stat(root, path, true)));
  }

  /**
   * Resolves if this process may access the entry so (effective ids; faccessat2(2)). The answer is old when it arrives: to use a file, open
   * it.
   *
   * @param mode `fs.constants.F_OK`, or `R_OK | W_OK | X_OK`
   * @throws FsError EACCES, ENOENT, EROFS
   */
  async access(path: RelativePath, mode: number = constants.F_OK, options: SignalOptions = {}): Promise<void> {
    const subject = this.subject('access', path);
    checkRelative(path, subject);
    toInteger(mode, 'mode', 0, 7, subject);
    await this.perform(subject, options.signal, (root) => native.access(root, path, mode));
  }
  /** {@link access}, on the calling thread. */
  accessSync(path: RelativePath, mode: number = constants.F_OK): void {
    const subject = this.subject('access', path);
    checkRelative(path, subject);
    toInteger(mode, 'mode', 0, 7, subject);
    this.performSync(subject, (root) => native.accessSync(root, path, mode));
  }

  /** Whether there is an entry of that name, a dangling symlink included. False for ENOENT and ENOTDIR; anything else throws. */
  async exists(path: RelativePath, options: SignalOptions = {}): Promise<boolean> {
    checkRelative(path, this.subject('exists', path));
    try {
      await this.stat(path, options);
      return true;
    } catch (error) {
      return absentOrThrow(error);
    }
  }
  /** {@link exists}, on the calling thread. */
  existsSync(path: RelativePath): boolean {
    checkRelative(path, this.subject('exists', path));
    try {
      this.statSync(path);
      return true;
    } catch (error) {
      return absentOrThrow(error);
    }
  }

  /**
   * Sets the permission and special bits of an entry (fchmodat2(2)).
   *
   * @throws FsError ENOTSUP for a symlink: Linux gives them no mode
   */
  async chmod(path: RelativePath, mode: number | string, options: SignalOptions = {}): Promise<void> {
    const subject = this.subject('chmod', path);
    checkRelative(path, subject);
    const bits = toMode(mode, subject);
    await this.perform(subject, options.signal, (root) => native.chmod(root, path, bits));
  }
  /** {@link chmod}, on the calling thread. */
  chmodSync(path: RelativePath, mode: number | string): void {
    const subject = this.subject('chmod', path);
    checkRelative(path, subject);
    const bits = toMode(mode, subject);
    this.performSync(subject, (root) => native.chmodSync(root, path, bits));
  }

  /** Sets owner and group, of a symlink its own; -1 leaves one as it is (fchownat(2)). Clears setuid, setgid and capabilities. */
  async chown(path: RelativePath, uid: number, gid: number, options: SignalOptions = {}): Promise<void> {
    const subject = this.subject('chown', path);
    checkRelative(path, subject);
    toId(uid, 'uid', subject);
    toId(gid, 'gid', subject);
    await this.perform(subject, options.signal, (root) => native.chown(root, path, uid, gid));
  }
  /** {@link chown}, on the calling thread. */
  chownSync(path: RelativePath, uid: number, gid: number): void {
    const subject = this.subject('chown', path);
    checkRelative(path, subject);
    toId(uid, 'uid', subject);
    toId(gid, 'gid', subject);
    this.performSync(subject, (root) => native.chownSync(root, path, uid, gid));
  }

  /** Sets access and modification time, of a symlink its own; bigints are nanoseconds (utimensat(2)). */
  async utimes(path: RelativePath, atime: TimeInput, mtime: TimeInput, options: SignalOptions = {}): Promise<void> {
    const subject = this.subject('utimes', path);
    checkRelative(path, subject);
    const times = [...toTimespec(atime, 'atime', subject), ...toTimespec(mtime, 'mtime', subject)] as const;
    await this.perform(subject, options.signal, (root) => native.utimes(root, path, ...times));
  }
  /** {@link utimes}, on the calling thread. */
  utimesSync(path: RelativePath, atime: TimeInput, mtime: TimeInput): void {
    const subject = this.subject('utimes', path);
    checkRelative(path, subject);
    const times = [...toTimespec(atime, 'atime', subject), ...toTimespec(mtime, 'mtime', subject)] as const;
    this.performSync(subject, (root) => native.utimesSync(root, path, ...times));
  }

  /**
   * The value of an extended attribute, of a symlink its own (xattr(7)).
   *
   * @throws FsError ENODATA without such an attribute, ENOTSUP without support
   */
  async getxattr(path: RelativePath, attribute: RelativePath, options: SignalOptions = {}): Promise<Buffer> {
    const subject = this.subject('getxattr', path);
    checkRelative(path, subject);
    checkBytes(attribute, 'attribute', subject);
    return this.perform(subject, options.signal, (root) => native.getxattr(root, path, attribute));
  }

  /** Sets an extended attribute. `create` refuses an existing one with EEXIST, `replace` a missing one with ENODATA. */
  async setxattr(
    path: RelativePath,
    attribute: RelativePath,
    value: string | Uint8Array,
    options: SetXattrOptions = {},
  ): Promise<void> {
    const subject = this.subject('setxattr', path);
    checkRelative(path, subject);
    checkBytes(attribute, 'attribute', subject);
    const flags = toXattrFlags(options, subject);
    const bytes = toValue(value, subject);
    await this.perform(subject, options.signal, (root) => native.setxattr(root, path, attribute, bytes, flags));
  }

  /** The names of all extended attributes that this process may see. */
  async listxattr(path: RelativePath, options: SignalOptions = {}): Promise<string[]> {
    const subject = this.subject('listxattr', path);
    checkRelative(path, subject);
    return decodeList(await this.perform(subject, options.signal, (root) => native.listxattr(root, path)));
  }

  /**
   * Removes an extended attribute (removexattr(2)).
   *
   * @throws FsError ENODATA without such an attribute, ENOTSUP without support
   */
  async removexattr(path: RelativePath, attribute: RelativePath, options: SignalOptions = {}): Promise<void> {
    const subject = this.subject('removexattr', path);
    checkRelative(path, subject);
    checkBytes(attribute, 'attribute', subject);
    await this.perform(subject, options.signal, (root) => native.removexattr(root, path, attribute));
  }

  /**
   * Inode flags as chattr(1) sets them, `FS_*_FL` bits (ioctl_iflags(2)). Files and directories only.
   *
   * @throws FsError ERR_DIRFD_UNSUPPORTED for other kinds, ENOTTY or ENOTSUP where the file system has none
   */
  async getflags(path: RelativePath = '.', options: SignalOptions = {}): Promise<number> {
    const subject = this.subject('getflags', path);
    checkRelative(path, subject);
    return this.perform(subject, options.signal, (root) => native.getflags(root, path));
  }

  /**
   * Sets the inode flags, all of them: or the new ones to what {@link getflags} tells (ioctl_iflags(2)).
   *
   * @throws FsError EPERM for immutable and append-only without CAP_LINUX_IMMUTABLE; else as getflags
   */
  async setflags(path: RelativePath, flags: number, options: SignalOptions = {}): Promise<void> {
    const subject = this.subject('setflags', path);
    checkRelative(path, subject);
    toInteger(flags, 'flags', 0, 0xffff_ffff, subject);
    await this.perform(subject, options.signal, (root) => native.setflags(root, path, flags));
  }

  /** Type, size and free space of the file system that holds this directory (fstatfs(2)). */
  async statfs(options: SignalOptions = {}): Promise<StatFs> {
    return this.perform(this.subject('statfs'), options.signal, (root) => native.statfs(root));
  }
}

function absentOrThrow(error: unknown): false {
  if (error instanceof FsError && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return false;
  throw error;
}
