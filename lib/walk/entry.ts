/** Entry: one name that a walk found, with its whole stat. */

import { inspect } from 'node:util';
import type { DirectoryFd, OpenDirectoryOptions, OpenFileOptions } from '../dirfd/directory-fd.js';
import type { ReadlinkOptions } from '../dirfd/directory-names.js';
import type { SignalOptions } from '../dirfd/fd.js';
import type { FileFd } from '../dirfd/file-fd.js';
import { HasKind, type Kind } from '../dirfd/kind.js';
import type { Stat } from '../dirfd/stat.js';
import type { FsError } from '../errors.js';
import { EVENT } from '../native/layout.js';
import type { WalkBatch } from './batch.js';
import { openDirectoryOf, openFileOf, readlinkOf } from './reopen.js';

/**
 * - `'entry'`: a name and its stat.
 * - `'leave'`: all below this directory has been reported (option `leave`).
 * - `'error'`: this entry could not be stat'ed, or this directory not be read (`onError: 'report'`).
 */
export type EntryEvent = 'entry' | 'leave' | 'error';

/**
 * One name that a walk found. Everything but `open` and its kin comes from the one statx of the walk, decoded when asked for; an entry that
 * is kept keeps its batch (up to 1000 entries) in memory, its `stat` too.
 */
export class Entry<Name extends string | Buffer = string> extends HasKind {
  readonly #batch: WalkBatch;
  readonly #index: number;

  /** @internal */
  constructor(batch: WalkBatch, index: number) {
    super();
    this.#batch = batch;
    this.#index = index;
  }

  /** The last component of the path. */
  get name(): Name {
    return (this.#batch.context.buffers ? this.nameBytes : this.#batch.entryName(this.#index)) as Name;
  }
  /** Relative to the root of the walk, never with a leading './'. */
  get path(): Name {
    return (this.#batch.context.buffers ? this.pathBytes : this.#batch.path(this.#index)) as Name;
  }
  /** The name's exact bytes, whatever the encoding. */
  get nameBytes(): Buffer {
    return this.#batch.entryNameBytes(this.#index);
  }
  /** The path's exact bytes, whatever the encoding. */
  get pathBytes(): Buffer {
    return this.#batch.pathBytes(this.#index);
  }
  /** 1 for the root's own entries. */
  get depth(): number {
    return this.#batch.depth(this.#index);
  }
  get event(): EntryEvent {
    const event = this.#batch.event(this.#index);
    return event === EVENT.entry ? 'entry' : event === EVENT.leave ? 'leave' : 'error';
  }
  /** What went wrong, where `event` is `'error'`. */
  get error(): FsError | undefined {
    return this.#batch.error(this.#index);
  }

  override get kind(): Kind {
    return this.#batch.kind(this.#index);
  }
  /**
   * All that statx told of the entry.
   * @throws FsError `error`, where there is no stat
   */
  get stat(): Stat {
    const batch = this.#batch;
    if (!batch.isPlain && batch.isError(this.#index)) throw batch.error(this.#index);
    return batch.stat(this.#index);
  }

  /**
   * Opens the very file that was stat'ed: reached again from the root of the walk, and compared by mount id, inode and time of birth.
   * Creates nothing; truncates ('w') only after the comparison. While the walk runs, or the DirectoryFd that it was given is open.
   *
   * @throws FsError ERR_DIRFD_CHANGED where something else stands there now, ENOENT where nothing does, ERR_DIRFD_NOT_REGULAR for what is
   *   no regular file
   */
  open(options: OpenFileOptions | string | number = {}): Promise<FileFd> {
    return openFileOf(this.#batch, this.#index, options);
  }
  /**
   * Opens the very directory that was stat'ed.
   * @throws FsError ERR_DIRFD_CHANGED, ENOENT, ENOTDIR
   */
  openDirectory(options: OpenDirectoryOptions = {}): Promise<DirectoryFd> {
    return openDirectoryOf(this.#batch, this.#index, options);
  }
  /**
   * Where the very symlink that was stat'ed points to; a Buffer where that is the encoding asked for, or the walk's.
   * @throws FsError ERR_DIRFD_CHANGED, ENOENT, EINVAL for what is no symlink
   */
  readlink(options: ReadlinkOptions & SignalOptions = {}): Promise<Name> {
    return readlinkOf(this.#batch, this.#index, options) as Promise<Name>;
  }

  /** Plain values; the path's bytes in base64 where they are not UTF-8. */
  toJSON(): Record<string, unknown> {
    const bytes = this.pathBytes;
    const path = bytes.toString('utf8');
    return {
      path,
      ...(Buffer.from(path).equals(bytes) ? {} : { pathBytes: bytes.toString('base64') }),
      ...(this.event === 'entry' ? {} : { event: this.event }),
      depth: this.depth,
      ...(this.error ? { error: { code: this.error.code, message: this.error.message } } : this.stat.toJSON()),
    };
  }

  [inspect.custom](): string {
    return `Entry { ${this.event === 'entry' ? '' : `${this.event} `}${this.kind} ${inspect(this.path)} }`;
  }
}
