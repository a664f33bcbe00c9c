/** What an open file is: the part of FileFd that touches its inode only. */

import type { ErrorSubject } from '../errors.js';
import { native } from '../native/load.js';
import { Fd, type SignalOptions } from './fd.js';
import { toId, toMode } from './flags.js';
import { checkBytes, type RelativePath } from './path.js';
import { Stat } from './stat.js';
import { type TimeInput, toTimespec } from './times.js';
import { decodeList, type SetXattrOptions, toValue, toXattrFlags } from './xattrs.js';

export abstract class FileAttributes extends Fd {
  /** @internal */
  protected subject(verb: string, dest?: string): ErrorSubject {
    return { verb, path: this.path, dest };
  }

  async stat(options: SignalOptions = {}): Promise<Stat> {
    return new Stat(await this.perform(this.subject('stat'), options.signal, (file) => native.statFd(file)));
  }
  statSync(): Stat {
    return new Stat(this.performSync(this.subject('stat'), (file) => native.statFdSync(file)));
  }

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

  async getxattr(attribute: RelativePath, options: SignalOptions = {}): Promise<Buffer> {
    const subject = this.subject('getxattr');
    checkBytes(attribute, 'attribute', subject);
    return this.perform(subject, options.signal, (file) => native.getxattr(file, '', attribute));
  }

  async setxattr(attribute: RelativePath, value: string | Uint8Array, options: SetXattrOptions = {}): Promise<void> {
    const subject = this.subject('setxattr');
    checkBytes(attribute, 'attribute', subject);
    const flags = toXattrFlags(options, subject);
    const bytes = toValue(value, subject);
    await this.perform(subject, options.signal, (file) => native.setxattr(file, '', attribute, bytes, flags));
  }

  async listxattr(options: SignalOptions = {}): Promise<string[]> {
    return decodeList(
      await this.perform(this.subject('listxattr'), options.signal, (file) => native.listxattr(file, '')),
    );
  }

  async removexattr(attribute: RelativePath, options: SignalOptions = {}): Promise<void> {
    const subject = this.subject('removexattr');
    checkBytes(attribute, 'attribute', subject);
    await this.perform(subject, options.signal, (file) => native.removexattr(file, '', attribute));
  }
}
