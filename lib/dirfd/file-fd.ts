/** FileFd: an open regular file. Verbs are those of fs.promises.FileHandle where it has them, and the man pages' where it has none. */

import { constants } from 'node:buffer';
import type { Readable, Writable } from 'node:stream';
import { type ErrorSubject, FsError, ownError } from '../errors.js';
import { native } from '../native/load.js';
import { LOCK_KINDS, type NativeHandle } from '../native/surface.js';
import type { DirectoryNames } from './directory-names.js';
import { Fd, INTERNAL, labelOf, type SignalOptions } from './fd.js';
import { FileAttributes } from './file-attributes.js';
import { checkWait, type LockOptions, LockWaits, lockKind, toRange } from './file-lock.js';
import { createReadable, createWritable, type ReadStreamOptions, type WriteStreamOptions } from './file-streams.js';
import { toInteger } from './flags.js';
import { checkRelative, type RelativePath } from './path.js';

const MAX = Number.MAX_SAFE_INTEGER;
const UNLOCK = LOCK_KINDS.indexOf('none');
const CHUNK = 512 * 1024;
const LARGEST_BUFFER = constants.MAX_LENGTH;

/** Which part of the buffer, and where in the file; for reads and writes. */
export interface ReadOptions extends SignalOptions {
  /** Where in the buffer to begin. Default 0. */
  readonly offset?: number | undefined;
  /** Bytes to read at most. Default: what the buffer holds from `offset` on. */
  readonly length?: number | undefined;
  /** Offset in the file; null or undefined: the file's own position, which moves on. */
  readonly position?: number | null | undefined;
}

/** What {@link FileFd.allocate} does with the range. Default: reserve space, growing the file. */
export interface AllocateOptions extends SignalOptions {
  /** Leave the size as it is (FALLOC_FL_KEEP_SIZE). */
  readonly keepSize?: boolean | undefined;
  /** Make a hole of the range instead (FALLOC_FL_PUNCH_HOLE). */
  readonly punchHole?: boolean | undefined;
  /** Make the range read as zeros (FALLOC_FL_ZERO_RANGE). */
  readonly zeroRange?: boolean | undefined;
}

/** Where {@link FileFd.copyRange} reads and writes. */
export interface CopyRangeOptions extends SignalOptions {
  /** Offset in this file. Default: its own position. */
  readonly offset?: number | undefined;
  /** Offset in the destination. Default: its own position. */
  readonly destinationOffset?: number | undefined;
}

/** The form of a file's content. */
export interface ReadFileOptions<E extends BufferEncoding | null | undefined = BufferEncoding | null | undefined>
  extends SignalOptions {
  /** Text encoding; null or undefined gives a Buffer. */
  readonly encoding?: E;
}

/** How content is written. */
export interface WriteFileOptions extends SignalOptions {
  /** Of text. Default `'utf8'`. */
  readonly encoding?: BufferEncoding | undefined;
}

/** What becomes of an entry that has the name already. */
export interface LinkIntoOptions extends SignalOptions {
  /** Take the place of what has the name already, in one step: readers see the old file or the new one. Default false. */
  readonly replace?: boolean | undefined;
}

export type Whence = 'set' | 'current' | 'end' | 'data' | 'hole';
const WHENCE: Readonly<Record<Whence, number>> = { set: 0, current: 1, end: 2, data: 3, hole: 4 };

/** An open regular file, without its name: what happens to the name does not touch it. Close it with `await using`, or close(). */
export class FileFd extends FileAttributes {
  #lockWaits: LockWaits | undefined;

  /** @internal @param directory, path by which it was opened, for people */
  static adopt(handle: NativeHandle, directory: string, path: RelativePath): FileFd {
    return new FileFd(handle, 'FileFd', labelOf(directory, path), { directory, path });
  }

  /** Reads into `buffer`; 0 bytes mean the end (read(2), pread(2)). Leave the buffer alone until the promise settles. */
  async read<B extends Uint8Array>(buffer: B, options: ReadOptions = {}): Promise<{ bytesRead: number; buffer: B }> {
    const subject = this.subject('read');
    const part = slice(buffer, options, subject);
    const position = toPosition(options.position, subject);
    const bytesRead = await this.perform(subject, options.signal, (file) => native.read(file, part, position));
    return { bytesRead, buffer };
  }
  /** {@link read}, on the calling thread. @returns bytes read */
  readSync(buffer: Uint8Array, options: ReadOptions = {}): number {
    const subject = this.subject('read');
    const part = slice(buffer, options, subject);
    const position = toPosition(options.position, subject);
    return this.performSync(subject, (file) => native.readSync(file, part, position));
  }

  /** Writes from `data`; may write less than asked, as write(2) does. See {@link writeFile} for all of it. */
  async write<B extends Uint8Array | string>(
    data: B,
    options: ReadOptions = {},
  ): Promise<{ bytesWritten: number; buffer: B }> {
    const subject = this.subject('write');
    const part = slice(typeof data === 'string' ? Buffer.from(data) : data, options, subject);
    const position = toPosition(options.position, subject);
    const bytesWritten = await this.perform(subject, options.signal, (file) => native.write(file, part, position));
    return { bytesWritten, buffer: data };
  }
  /** {@link write}, on the calling thread. @returns bytes written */
  writeSync(data: Uint8Array | string, options: ReadOptions = {}): number {
    const subject = this.subject('write');
    const part = slice(typeof data === 'string' ? Buffer.from(data) : data, options, subject);
    const position = toPosition(options.position, subject);
    return this.performSync(subject, (file) => native.writeSync(file, part, position));
  }

  /** Reads into several buffers in order (preadv2(2)). */
  async readv(buffers: readonly Uint8Array[], position: number | null = null, options: SignalOptions = {}) {
    const subject = this.subject('readv');
    checkBuffers(buffers, subject);
    const at = toPosition(position, subject);
    const bytesRead = await this.perform(subject, options.signal, (file) => native.readv(file, at, ...buffers));
    return { bytesRead, buffers };
  }

  /** Writes several buffers in order (pwritev2(2)); may write less than all. */
  async writev(buffers: readonly Uint8Array[], position: number | null = null, options: SignalOptions = {}) {
    const subject = this.subject('writev');
    checkBuffers(buffers, subject);
    const at = toPosition(position, subject);
    const bytesWritten = await this.perform(subject, options.signal, (file) => native.writev(file, at, ...buffers));
    return { bytesWritten, buffers };
  }

  /**
   * Everything from the file's position to its end, however the size changes meanwhile.
   * @throws FsError ERR_DIRFD_TOO_LARGE for more than a Buffer can hold
   */
  readFile(options?: ReadFileOptions<null | undefined>): Promise<Buffer>;
  readFile(options: ReadFileOptions<BufferEncoding> | BufferEncoding): Promise<string>;
  async readFile(options: ReadFileOptions | BufferEncoding = {}): Promise<Buffer | string> {
    const { encoding, signal } = typeof options === 'string' ? { encoding: options, signal: undefined } : options;
    const { exactSize } = await this.stat({ signal });
    if (exactSize > LARGEST_BUFFER) {
      throw ownError('ERR_DIRFD_TOO_LARGE', `it has ${exactSize} bytes, more than a Buffer`, this.subject('readFile'));
    }
    const chunks: Buffer[] = [];
    // One byte more than the size, so that a file which did not grow ends in one short read.
    for (let wanted = Math.min(Number(exactSize) + 1, 16 * CHUNK); ; wanted = CHUNK) {
      const chunk = Buffer.allocUnsafe(wanted);
      const { bytesRead } = await this.read(chunk, { signal });
      chunks.push(chunk.subarray(0, bytesRead));
      if (bytesRead === 0 || (bytesRead < wanted && (await this.#atEnd(signal, chunks)))) break;
    }
    const all = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
    return encoding ? all.toString(encoding) : all;
  }

  /** Writes all of `data` at the file's position, or fails. Truncates nothing. */
  async writeFile(data: string | Uint8Array, options: WriteFileOptions | BufferEncoding = {}): Promise<void> {
    const { encoding, signal } = typeof options === 'string' ? { encoding: options, signal: undefined } : options;
    let rest = typeof data === 'string' ? Buffer.from(data, encoding) : data;
    slice(rest, {}, this.subject('write'));
    while (rest.length > 0) {
      const { bytesWritten } = await this.write(rest, { signal, length: Math.min(rest.length, CHUNK) });
      if (bytesWritten === 0) {
        throw ownError(
          'ERR_DIRFD_UNSUPPORTED',
          'the file system took no byte and gave no error',
          this.subject('write'),
        );
      }
      rest = rest.subarray(bytesWritten);
    }
  }

  /** Sets the size; what is added reads as zeros (ftruncate(2)). */
  async truncate(size = 0, options: SignalOptions = {}): Promise<void> {
    const subject = this.subject('truncate');
    toInteger(size, 'size', 0, MAX, subject);
    await this.perform(subject, options.signal, (file) => native.truncate(file, size));
  }

  /** Reserves space, or with the options makes holes or zeros (fallocate(2)). */
  async allocate(offset: number, length: number, options: AllocateOptions = {}): Promise<void> {
    const subject = this.subject('allocate');
    toInteger(offset, 'offset', 0, MAX, subject);
    toInteger(length, 'length', 1, MAX, subject);
    // FALLOC_FL_PUNCH_HOLE is only valid together with FALLOC_FL_KEEP_SIZE.
    const mode =
      (options.keepSize || options.punchHole ? 1 : 0) | (options.punchHole ? 2 : 0) | (options.zeroRange ? 16 : 0);
    await this.perform(subject, options.signal, (file) => native.allocate(file, mode, offset, length));
  }

  /** Waits until data and metadata are on the device (fsync(2)). After a failure the state is unknown; asking again proves nothing. */
  async sync(options: SignalOptions = {}): Promise<void> {
    await this.perform(this.subject('sync'), options.signal, (file) => native.fsync(file));
  }
  /** As {@link sync}, without metadata that reading does not need (fdatasync(2)). */
  async datasync(options: SignalOptions = {}): Promise<void> {
    await this.perform(this.subject('datasync'), options.signal, (file) => native.fdatasync(file));
  }

  /** Moves the file's position (lseek(2)). @returns the new position; -1 for `data` where none follows */
  async seek(offset: number, whence: Whence = 'set', options: SignalOptions = {}): Promise<number> {
    const subject = this.subject('seek');
    toInteger(offset, 'offset', -MAX, MAX, subject);
    const code = WHENCE[whence];
    if (code === undefined) throw ownError('ERR_DIRFD_INVALID_ARGUMENT', `unknown whence '${whence}'`, subject);
    return this.perform(subject, options.signal, (file) => native.seek(file, offset, code));
  }
  /** The first data at or after `offset`; -1 if the rest is a hole. Moves the position. */
  seekData(offset: number, options?: SignalOptions): Promise<number> {
    return this.seek(offset, 'data', options);
  }
  /** The first hole at or after `offset`; the end of the file counts as one. Moves the position. */
  seekHole(offset: number, options?: SignalOptions): Promise<number> {
    return this.seek(offset, 'hole', options);
  }

  /**
   * Copies inside the kernel (copy_file_range(2)), or through one buffer where the kernel or the two file systems refuse.
   *
   * @returns bytes copied, at most `length`; 0 at the end of this file
   */
  async copyRange(destination: FileFd, length: number, options: CopyRangeOptions = {}): Promise<number> {
    const subject = this.subject('copyRange', destination?.path);
    toInteger(length, 'length', 0, MAX, subject);
    const from = toPosition(options.offset, subject);
    const to = toPosition(options.destinationOffset, subject);
    return this.#withOther(destination, subject, (other) =>
      this.perform(subject, options.signal, (file) => native.copyRange(file, from, other, to, length)),
    );
  }

  /**
   * Makes the destination share this file's extents (FICLONE, ioctl_ficlonerange(2)).
   *
   * @throws FsError ENOTSUP, EXDEV, EINVAL where the file system cannot
   */
  async clone(destination: FileFd, options: SignalOptions = {}): Promise<void> {
    const subject = this.subject('clone', destination?.path);
    await this.#withOther(destination, subject, (other) =>
      this.perform(subject, options.signal, (file) => native.clone(file, other)),
    );
  }

  /**
   * Takes an open-file-description lock on the whole file or a range (F_OFD_SETLK, fcntl(2)): advisory, shared by all who use this
   * handle, released by unlock(), close() or the end of the process. Waits in the kernel, on a thread of its own, and is woken at once.
   * Exclusive over a shared lock of this handle's own is an upgrade: the shared lock stays until the exclusive one is there.
   *
   * @throws FsError ERR_DIRFD_LOCK_TIMEOUT; EBADF for an exclusive lock on a file that is open for reading only
   */
  async lock(options: LockOptions = {}): Promise<void> {
    const subject = this.subject('lock');
    checkWait(options, subject);
    if (this.#tryLock(options, subject)) return;
    const { start, length } = toRange(options, subject);
    this.#lockWaits ??= new LockWaits();
    await this.#lockWaits.run(
      (job) => this.perform(subject, undefined, (file) => native.waitLock(file, lockKind(options), start, length, job)),
      options,
      subject,
    );
  }
  /** False where another handle's lock is in the way. */
  async tryLock(options: LockOptions = {}): Promise<boolean> {
    return this.#tryLock(options, this.subject('tryLock'));
  }
  /** Gives up what {@link lock} and {@link tryLock} took, all of it or a range. */
  async unlock(options: LockOptions = {}): Promise<void> {
    const subject = this.subject('unlock');
    const { start, length } = toRange(options, subject);
    this.performSync(subject, (file) => native.tryLockSync(file, UNLOCK, start, length));
  }

  /** Waits for the operations in flight, but for locks: who waits for one is told ERR_DIRFD_CLOSED. */
  override close(): Promise<void> {
    const closed = super.close();
    this.#lockWaits?.close(this.subject('lock'));
    return closed;
  }

  /**
   * Gives this file a name, a temporary one its first (linkat(2); with `replace` a rename(2) follows, because a link replaces nothing). To
   * survive a crash: `file.sync()` before, `directory.sync()` after.
   *
   * @throws FsError EEXIST if the name is taken, EXDEV on another file system, EISDIR with `replace` over a directory
   */
  async linkInto(directory: DirectoryNames, path: RelativePath, options: LinkIntoOptions = {}): Promise<void> {
    const subject: ErrorSubject = { verb: 'linkInto', directory: directory?.path, path };
    if (!(directory instanceof Fd)) {
      throw ownError('ERR_DIRFD_INVALID_ARGUMENT', 'linkInto takes a DirectoryFd and a path', { verb: 'linkInto' });
    }
    checkRelative(path, subject);
    const replace = options.replace === true;
    await this.#withOther(directory, subject, (other) =>
      this.perform(subject, options.signal, (file) => native.linkInto(file, other, path, replace)),
    );
  }

  /** The file as a stream of bytes; see {@link ReadStreamOptions}. */
  createReadStream(options: ReadStreamOptions = {}): Readable {
    return createReadable(this, options);
  }

  /** A stream that writes to the file; see {@link WriteStreamOptions}. */
  createWriteStream(options: WriteStreamOptions = {}): Writable {
    return createWritable(this, options);
  }

  /** The file as bytes from its position on, for `fetch`, `Response` and the like. */
  readableWebStream(options: { readonly autoClose?: boolean } = {}): ReadableStream<Uint8Array> {
    const finish = async () => void (options.autoClose && (await this.close()));
    return new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        const chunk = new Uint8Array(CHUNK);
        const { bytesRead } = await this.read(chunk).catch(async (error) => {
          await finish();
          throw error;
        });
        if (bytesRead > 0) return controller.enqueue(chunk.subarray(0, bytesRead));
        controller.close();
        await finish();
      },
      cancel: finish,
    });
  }

  #tryLock(options: LockOptions, subject: ErrorSubject): boolean {
    const { start, length } = toRange(options, subject);
    try {
      this.performSync(subject, (file) => native.tryLockSync(file, lockKind(options), start, length));
      return true;
    } catch (error) {
      if (error instanceof FsError && error.code === 'EAGAIN') return false;
      throw error;
    }
  }

  /** A short read from a regular file is nearly always its end, but a file may have grown at that moment. */
  async #atEnd(signal: AbortSignal | undefined, chunks: Buffer[]): Promise<boolean> {
    const chunk = Buffer.allocUnsafe(4096);
    const { bytesRead } = await this.read(chunk, { signal });
    if (bytesRead > 0) chunks.push(chunk.subarray(0, bytesRead));
    return bytesRead === 0;
  }

  async #withOther<T>(other: Fd, subject: ErrorSubject, act: (handle: NativeHandle) => Promise<T>): Promise<T> {
    if (!(other instanceof Fd)) throw ownError('ERR_DIRFD_INVALID_ARGUMENT', 'the destination is no FileFd', subject);
    const { handle, hold } = other[INTERNAL];
    const release = hold(subject);
    try {
      return await act(handle);
    } finally {
      release();
    }
  }
}

function toPosition(position: number | null | undefined, subject: ErrorSubject): number {
  return position === null || position === undefined ? -1 : toInteger(position, 'position', 0, MAX, subject);
}

function checkBuffers(buffers: readonly Uint8Array[], subject: ErrorSubject): void {
  if (Array.isArray(buffers) && buffers.every((buffer) => buffer instanceof Uint8Array)) return;
  throw ownError('ERR_DIRFD_INVALID_ARGUMENT', 'buffers must be an array of Uint8Arrays', subject);
}

function slice(buffer: Uint8Array, { offset = 0, length }: ReadOptions, subject: ErrorSubject): Uint8Array {
  if (!(buffer instanceof Uint8Array))
    throw ownError('ERR_DIRFD_INVALID_ARGUMENT', 'buffer must be a Uint8Array', subject);
  toInteger(offset, 'offset', 0, buffer.length, subject);
  if (length === undefined) return buffer.subarray(offset);
  toInteger(length, 'length', 0, buffer.length - offset, subject);
  return buffer.subarray(offset, offset + length);
}
