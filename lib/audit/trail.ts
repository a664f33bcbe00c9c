/**
 * AuditTrail: an append-only file of records, each chained to the one before.
 *
 *   record ──▶ queue ──all that wait together──▶ lock NAME.lock ─▶ find the end ─▶ rotate? ─▶ one write ─▶ fdatasync ─▶ unlock
 *
 *   several writers   the end of the chain is read from the file whenever another process may have written
 *   a crash           leaves a torn last line at most; the next writer cuts it off and records that it did
 *   a failed write    is cut off again; of its batch stands what was in the file before, where that was set aside meanwhile
 */

import { constants } from 'node:fs';
import { closeAll } from '../dirfd/close-all.js';
import type { DirectoryFd } from '../dirfd/directory-fd.js';
import type { SignalOptions } from '../dirfd/fd.js';
import type { FileFd } from '../dirfd/file-fd.js';
import { toInteger, toMode } from '../dirfd/flags.js';
import { holdDirectory } from '../dirfd/hold-directory.js';
import { type ErrorSubject, FsError, ownError } from '../errors.js';
import { operationError, StorageError } from '../operation-errors.js';
import { type ChainEnd, chainEntry, entryText, mayBeginRecord, readTail, START } from './chain.js';
import type { AuditEntry, AuditSink } from './observe.js';
import { type AuditReport, trailFiles, type VerifyAuditOptions, verifyAuditTrail } from './verify.js';

/** How a trail is written. */
export interface AuditTrailOptions extends SignalOptions {
  /** A file that would grow beyond it is set aside as NAME.1, NAME.2, … and the chain goes on in a new one. Bytes; default 64 MiB. */
  readonly maxBytes?: number | undefined;
  /** `'each'`, the default: record() resolves when the record is on the device. `'none'`: when the kernel has it. */
  readonly fsync?: 'each' | 'none' | undefined;
  /** Permission bits of new files, less the umask. Default 0o600. */
  readonly mode?: number | string | undefined;
}

interface Waiting {
  /** As it was when it was given. */
  readonly text: string;
  readonly resolve: (end: ChainEnd) => void;
  readonly reject: (error: unknown) => void;
}

/** A record as it is to be written. */
interface Line {
  readonly line: Buffer;
  readonly end: ChainEnd;
  readonly resolve: (end: ChainEnd) => void;
}

const OPEN_OR_MAKE = constants.O_RDWR | constants.O_CREAT;
/** Bytes of a first record that may be torn. */
const TORN_LIMIT = 1024 ** 2;
/** How often the lock file may be another one by the time its lock is had. */
const REPLACED_LIMIT = 64;

/** An open trail. Several may be open on the same file, also in other processes. Close it with `await using`, or close(). */
export class AuditTrail implements AuditSink, AsyncDisposable {
  readonly #directory: DirectoryFd;
  readonly #name: string;
  #lock: FileFd;
  readonly #maxBytes: number;
  readonly #isDurable: boolean;
  readonly #mode: number;
  #file: FileFd | undefined;
  /** Where the chain ended when this trail wrote last, and the size of the file then. */
  #end: ChainEnd = START;
  #size = -1;
  #queue: Waiting[] = [];
  #writing: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  private constructor(directory: DirectoryFd, name: string, lock: FileFd, options: AuditTrailOptions) {
    const subject = { verb: 'open', directory: directory.path, path: name };
    this.#directory = directory;
    this.#name = name;
    this.#lock = lock;
    this.#maxBytes = toInteger(options.maxBytes ?? 64 * 1024 ** 2, 'maxBytes', 1, Number.MAX_SAFE_INTEGER, subject);
    this.#mode = toMode(options.mode ?? 0o600, subject);
    const { fsync = 'each' } = options;
    if (fsync !== 'each' && fsync !== 'none') {
      throw ownError('ERR_DIRFD_INVALID_ARGUMENT', "fsync must be 'each' or 'none'", subject);
    }
    this.#isDurable = fsync === 'each';
  }

  /**
   * Opens or makes a trail, and cuts off what a crash has torn.
   *
   * @param directory held open until close(), whatever becomes of the handle that was given
   * @param name one name; beside the file lie its lock, NAME.lock, and the files set aside, NAME.1 and so on
   * @throws StorageError where the file has other names (hard links); FsError ELOOP for a symlink
   */
  static async open(
    directory: DirectoryFd | string | URL,
    name = 'audit.jsonl',
    options: AuditTrailOptions = {},
  ): Promise<AuditTrail> {
    const { signal } = options;
    if (typeof name !== 'string' || !/^[^/\0]{1,200}$/.test(name) || /^\.{1,2}$/.test(name)) {
      throw ownError('ERR_DIRFD_INVALID_ARGUMENT', 'the name of a trail is one name', { verb: 'open' });
    }
    const held = await holdDirectory(directory, { signal });
    let lock: FileFd | undefined;
    let trail: AuditTrail | undefined;
    try {
      lock = await held.openFile(`${name}.lock`, { flags: OPEN_OR_MAKE, mode: options.mode ?? 0o600, signal });
      trail = new AuditTrail(held, name, lock, options);
      await trail.#write([]);
      return trail;
    } catch (error) {
      await closeAll([trail, lock, held]).catch(() => {});
      throw error;
    }
  }

  /** The path by which the directory was opened: for people. */
  get directory(): string {
    return this.#directory.path;
  }
  get name(): string {
    return this.#name;
  }

  /**
   * Adds a record. Those that are added at the same time share one write and one fdatasync(2).
   *
   * @returns its place and hash
   * @throws StorageError where it could not be written, or is no JSON: then it is not in the trail, and keeps no other out
   */
  async record(entry: AuditEntry): Promise<ChainEnd> {
    if (this.#closing) throw ownError('ERR_DIRFD_CLOSED', 'this AuditTrail is closed', this.#subject('record'));
    const text = this.#textOf(entry);
    const done = new Promise<ChainEnd>((resolve, reject) => {
      this.#queue.push({ text, resolve, reject });
    });
    this.#writing ??= this.#drain();
    return done;
  }

  /** Tests the whole chain. See {@link verifyAuditTrail}. */
  async verify(options: VerifyAuditOptions = {}): Promise<AuditReport> {
    await this.#writing;
    return verifyAuditTrail(this.#directory, this.#name, options);
  }

  /** Waits for the records that are on their way, and closes. */
  close(): Promise<void> {
    this.#closing ??= this.#finish();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #textOf(entry: AuditEntry): string {
    try {
      return entryText(entry);
    } catch (error) {
      const why = `not recorded: ${error instanceof Error ? error.message : String(error)}`;
      throw operationError(StorageError, 'ERR_DIRFD_WRITE', why, this.#subject('record'), error);
    }
  }

  async #finish(): Promise<void> {
    await this.#writing;
    const file = this.#file;
    this.#file = undefined;
    await closeAll([file, this.#lock, this.#directory]);
  }

  async #closeFile(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  async #drain(): Promise<void> {
    // What is added in the same turn of the event loop goes together.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      const batch = this.#queue;
      this.#queue = [];
      await this.#write(batch);
    }
    this.#writing = undefined;
  }

  /** @throws only for an empty batch; the failures of others are their promises' */
  async #write(batch: readonly Waiting[]): Promise<void> {
    try {
      try {
        await this.#takeLock();
        await this.#append(batch);
      } finally {
        await this.#lock.unlock();
      }
    } catch (error) {
      // Where the chain ends is to be found out again.
      this.#size = -1;
      const why = error instanceof Error ? error.message : String(error);
      const told = operationError(
        StorageError,
        'ERR_DIRFD_WRITE',
        `not recorded: ${why}`,
        this.#subject('record'),
        error,
      );
      if (batch.length === 0) throw error instanceof StorageError ? error : told;
      for (const { reject } of batch) reject(told);
    }
  }

  /** The lock of the file that has its name: one that was removed or replaced keeps nobody out. */
  async #takeLock(): Promise<void> {
    const name = `${this.#name}.lock`;
    for (let attempt = 0; attempt < REPLACED_LIMIT; attempt++) {
      await this.#lock.lock();
      if (await this.#isNamed(this.#lock, name)) return;
      const opened = await this.#directory.openFile(name, { flags: OPEN_OR_MAKE, mode: this.#mode });
      const old = this.#lock;
      this.#lock = opened;
      await old.close();
    }
    const why = 'its lock file is replaced again and again';
    throw operationError(StorageError, 'ERR_DIRFD_WRITE', why, this.#subject('record'));
  }

  async #append(batch: readonly Waiting[]): Promise<void> {
    let file = await this.#current();
    const cut = await this.#findEnd(file);
    const all = [...(cut > 0 ? [{ text: entryText(cutEntry(cut)), resolve: () => {} }] : []), ...batch];
    let last = this.#end;
    let part: Line[] = [];
    let length = 0;
    for (const { text, resolve } of all) {
      const { line, end } = chainEntry(text, last);
      if (this.#size + length > 0 && this.#size + length + line.length > this.#maxBytes) {
        await this.#put(file, part, length);
        file = await this.#rotate();
        part = [];
        length = 0;
      }
      part.push({ line, end, resolve });
      length += line.length;
      last = end;
    }
    await this.#put(file, part, length);
  }

  /** Whatever fails afterwards, these records stand, and who waits for them is told so. */
  async #put(file: FileFd, part: readonly Line[], length: number): Promise<void> {
    if (length === 0) return;
    const bytes = Buffer.concat(part.map(({ line }) => line));
    const start = this.#size;
    try {
      for (let at = 0; at < length; ) {
        const { bytesWritten } = await file.write(bytes, { offset: at, position: start + at });
        at += bytesWritten;
      }
      if (this.#isDurable) await file.datasync();
    } catch (error) {
      // What is there of it is no record; where it cannot be cut off, it is torn, and the next writer sees to it.
      await file.truncate(start).catch(() => {});
      throw error;
    }
    this.#size = start + length;
    for (const { end, resolve } of part) {
      this.#end = end;
      resolve(end);
    }
  }

  /** The file of that name: another process may have set aside the one that is open. */
  async #current(): Promise<FileFd> {
    if (this.#file && (await this.#isNamed(this.#file, this.#name))) return this.#file;
    await this.#closeFile();
    return this.#openFile();
  }

  async #openFile(): Promise<FileFd> {
    this.#size = -1;
    const file = await this.#directory.openFile(this.#name, { flags: OPEN_OR_MAKE, mode: this.#mode });
    try {
      if ((await file.stat()).nlink !== 1) {
        const why = 'the trail has other names (hard links): it may be changed through them';
        throw operationError(StorageError, 'ERR_DIRFD_WRITE', why, this.#subject('open'));
      }
      if (this.#isDurable) await this.#directory.sync();
    } catch (error) {
      await file.close();
      throw error;
    }
    // Not before: what is here is written to without these tests.
    this.#file = file;
    return file;
  }

  /** @returns how many torn bytes were cut off */
  async #findEnd(file: FileFd): Promise<number> {
    const { size } = await file.stat();
    if (size === this.#size) return 0;
    const { end, length } = await readTail(file, size);
    if (end === undefined && size > 0 && !(await isTornAlone(file, size))) {
      const why = 'the file is no audit trail, or one whose end was damaged: its last lines are no records';
      throw operationError(StorageError, 'ERR_DIRFD_WRITE', why, this.#subject('open'));
    }
    this.#end = end ?? (await this.#endOfRotated());
    if (length < size) await file.truncate(length);
    this.#size = length;
    return size - length;
  }

  /** The chain goes on from the last file that was set aside. */
  async #endOfRotated(): Promise<ChainEnd> {
    const last = (await trailFiles(this.#directory, this.#name)).filter((found) => found !== this.#name).at(-1);
    if (last === undefined) return START;
    await using file = await this.#directory.openFile(last);
    const { end } = await readTail(file, (await file.stat()).size);
    return end ?? START;
  }

  async #rotate(): Promise<FileFd> {
    const last = (await trailFiles(this.#directory, this.#name)).filter((found) => found !== this.#name).at(-1);
    const number = last === undefined ? 1 : Number(last.slice(this.#name.length + 1)) + 1;
    await this.#directory.rename(this.#name, `${this.#name}.${number}`, { noReplace: true });
    await this.#closeFile();
    const opened = await this.#openFile();
    this.#size = 0;
    return opened;
  }

  async #isNamed(file: FileFd, name: string): Promise<boolean> {
    try {
      const [here, named] = await Promise.all([file.stat(), this.#directory.stat(name)]);
      return here.ino === named.ino && here.dev === named.dev;
    } catch (error) {
      if (error instanceof FsError && error.code === 'ENOENT') return false;
      throw error;
    }
  }

  #subject(verb: string): ErrorSubject {
    return { verb, directory: this.#directory.path, path: this.#name };
  }
}

/**
 * Whether the whole file is but the first record of a trail, torn by a crash: one line that begins as a record does, or zeros where one was to
 * be. Anything else that has no record at its end is not ours to cut.
 */
async function isTornAlone(file: FileFd, size: number): Promise<boolean> {
  if (size > TORN_LIMIT) return false;
  const bytes = Buffer.alloc(size);
  for (let have = 0; have < size; ) {
    const { bytesRead } = await file.read(bytes, { offset: have, position: have });
    if (bytesRead === 0) break;
    have += bytesRead;
  }
  const text = bytes.toString('latin1').replace(/\0+$/, '');
  return !/\n./s.test(text) && mayBeginRecord(text);
}

function cutEntry(bytes: number): AuditEntry {
  const id = crypto.randomUUID();
  return { operation: 'audit.cut', id, time: new Date().toISOString(), outcome: 'done', duration: 0, bytes };
}
