/** What an open file is: the part of FileFd that touches its inode only. */

import type { ErrorSubject } from '../errors.js';
import { native } from '../native/load.js';
import { Fd, type SignalOptions } from './fd.js';
import { toId, toMode } from './flags.js';
import { checkBytes, type RelativePath } from './path.js';
import { Stat } from './stat.js';
import { type TimeInput, toTimespec } from './times.js';
import { decodeList, type SetXattrOptions, toValue, toXattrFlags } from './xattrs.js';

/** The verbs of FileFd that ask and change what the file is. */
export abstract class FileAttributes extends Fd {
  /** @internal */
  protected subject(verb: string, dest?: string): ErrorSubject {
    return { verb, ...this.place, dest };
  }

  /** The status of the open file (statx(2)), whatever its name leads to by now. */
  async stat(options: SignalOptions = {}): Promise<Stat> {
    return new Stat(await this.perform(this.subject('stat'), options.signal, (file) => native.statFd(file)));
  }
  /** {@link stat}, on the calling thread. */
  statSync(): Stat {
    return new Stat(this.performSync(this.subject('stat'), (file) => native.statFdSync(file)));
  }

  /**
   * Sets the permission and special bits (fchmod(2)).
   *
   * @throws FsError EPERM, EROFS
   */
  async chmod(mode: number | string, options: SignalOptions = {}): Promise<void> {
    const subject = this.subject('chmod');
    const bits = toMode(mode, subject);
    await this.perform(subject, options.signal, (file) => native.chmodFd(file, bits));
  }

  /** -1 leaves one as it is. Clears setuid, setgid and capabilities (chown(2)). */
  async chown(uid: number, gid: number, options: SignalOptions = {}): Promise<void> {
    const subject = this.subject('chown');
    toId(uid, 'uid', subject);
    toId(gid, 'gid', subject);
    await this.perform(subject, options.signal, (file) => native.chownFd(file, uid, gid));
  }

  /** Bigints are nanoseconds (futimens(3)). */
  async utimes(atime: TimeInput, mtime: TimeInput, options: SignalOptions = {}): Promise<void> {
    const subject = this.subject('utimes');
    const times = [...toTimespec(atime, 'atime', subject), ...toTimespec(mtime, 'mtime', subject)] as const;
    await this.perform(subject, options.signal, (file) => native.utimesFd(file, ...times));
  }

  /**
   * The value of an extended attribute (fgetxattr(2)).
   *
   * @throws FsError ENODATA without such an attribute, ENOTSUP without support
   */
  async getxattr(attribute: RelativePath, options: SignalOptions = {}): Promise<Buffer> {
    const subject = this.subject('getxattr');
    checkBytes(attribute, 'attribute', subject);
    return this.perform(subject, options.signal, (file) => native.getxattr(file, '', attribute));
  }

  /**
   * Sets an extended attribute (fsetxattr(2)).
   *
   * @throws FsError EEXIST with `create`, ENODATA with `replace`, ENOSPC, ENOTSUP
   */
  async setxattr(attribute: RelativePath, value: string | Uint8Array, options: SetXattrOptions = {}): Promise<void> {
    const subject = this.subject('setxattr');
    checkBytes(attribute, 'attribute', subject);
    const flags = toXattrFlags(options, subject);
    const bytes = toValue(value, subject);
    await this.perform(subject, options.signal, (file) => native.setxattr(file, '', attribute, bytes, flags));
  }

  /** The names of all extended attributes that this process may see (flistxattr(2)). */
  async listxattr(options: SignalOptions = {}): Promise<string[]> {
    return decodeList(
      await this.perform(this.subject('listxattr'), options.signal, (file) => native.listxattr(file, '')),
    );
  }

  /**
   * Removes an extended attribute (fremovexattr(2)).
   *
   * @throws FsError ENODATA
   */
  async removexattr(attribute: RelativePath, options: SignalOptions = {}): Promise<void> {
    const subject = this.subject('removexattr');
    checkBytes(attribute, 'attribute', subject);
    await this.perform(subject, options.signal, (file) => native.removexattr(file, '', attribute));
  }
}
