/** Reads packed batches (lib/native/layout.ts): names as text or bytes, and stats. */

import { EVENT, LAYOUT } from '../native/layout.js';
import { type Kind, kindOfMode, Stat } from './stat.js';

/** One packed batch. Offsets are computed once; names are decoded when asked. */
export class PackedBatch {
  readonly bytes: Buffer;
  readonly length: number;
  readonly #heap: number;
  readonly #directories: number;
  /** The whole heap as text where every byte is ASCII: then names are substrings. */
  readonly #text: string | undefined;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
    this.length = bytes.readUInt32LE(LAYOUT.entries);
    this.#heap = bytes.readUInt32LE(LAYOUT.heapOffset);
    this.#directories = LAYOUT.headerSize + this.length * LAYOUT.entrySize;
    if (bytes.readUInt32LE(LAYOUT.ascii) === 1) this.#text = bytes.toString('latin1', this.#heap);
  }

  /** Where entry `index` begins in `bytes`. */
  recordAt(index: number): number {
    return LAYOUT.headerSize + index * LAYOUT.entrySize;
  }

  isError(index: number): boolean {
    return this.bytes[this.recordAt(index) + LAYOUT.event] === EVENT.error;
  }

  event(index: number): number {
    return this.bytes[this.recordAt(index) + LAYOUT.event] as number;
  }

  kind(index: number): Kind {
    return kindOfMode(this.bytes.readUInt32LE(this.recordAt(index) + LAYOUT.mode));
  }

  stat(index: number): Stat {
    return new Stat(this.bytes, this.recordAt(index));
  }

  name(index: number): string {
    const at = this.recordAt(index);
    const offset = this.bytes.readUInt32LE(at + LAYOUT.nameOffset);
    return this.#slice(offset, this.bytes.readUInt16LE(at + LAYOUT.nameLength));
  }

  /** A copy, so that a kept name does not keep the batch. */
  nameBytes(index: number): Buffer {
    const at = this.recordAt(index);
    const start = this.#heap + this.bytes.readUInt32LE(at + LAYOUT.nameOffset);
    return Buffer.from(this.bytes.subarray(start, start + this.bytes.readUInt16LE(at + LAYOUT.nameLength)));
  }

  /** The index of the directory record that entry `index` belongs to. */
  directoryOf(index: number): number {
    return this.bytes.readUInt32LE(this.recordAt(index) + LAYOUT.directory);
  }

  directoryDepth(directory: number): number {
    return this.bytes.readUInt32LE(this.#directories + directory * LAYOUT.directorySize + LAYOUT.depth);
  }

  /** Relative to the root; empty for the root itself. */
  directoryPath(directory: number): string {
    const at = this.#directories + directory * LAYOUT.directorySize;
    return this.#slice(
      this.bytes.readUInt32LE(at + LAYOUT.pathOffset),
      this.bytes.readUInt32LE(at + LAYOUT.pathLength),
    );
  }

  directoryPathBytes(directory: number): Buffer {
    const at = this.#directories + directory * LAYOUT.directorySize;
    const start = this.#heap + this.bytes.readUInt32LE(at + LAYOUT.pathOffset);
    return Buffer.from(this.bytes.subarray(start, start + this.bytes.readUInt32LE(at + LAYOUT.pathLength)));
  }

  /** The text of an ignore file's record. */
  ignoreFile(index: number): string {
    const at = this.recordAt(index);
    const start = this.#heap + this.bytes.readUInt32LE(at + LAYOUT.nameOffset);
    return this.bytes.toString('utf8', start, start + this.bytes.readUInt32LE(at + LAYOUT.size));
  }

  /** What an error record tells, in the form that lib/errors.ts reads. */
  failure(index: number): { errno: number; call: number; reason: number; subject: number; flags: number } {
    const at = this.recordAt(index);
    return {
      errno: this.bytes.readInt32LE(at + LAYOUT.err),
      call: this.bytes[at + LAYOUT.call] as number,
      reason: this.bytes.readUInt32LE(at + LAYOUT.mask),
      subject: 1,
      flags: this.bytes.readUInt32LE(at + LAYOUT.attributes),
    };
  }

  #slice(offset: number, length: number): string {
    if (this.#text !== undefined) return this.#text.substring(offset, offset + length);
    const start = this.#heap + offset;
    return this.bytes.toString('utf8', start, start + length);
  }
}

/** A name in a directory and what it is, as `readdir` with `withFileTypes` returns it. The methods are those of node:fs's Dirent. */
export class NamedEntry {
  /** @internal */
  protected readonly batch: PackedBatch;
  /** @internal */
  protected readonly index: number;

  /** @internal */
  constructor(batch: PackedBatch, index: number) {
    this.batch = batch;
    this.index = index;
  }

  /** Bytes that are not UTF-8 show as U+FFFD; `nameBytes` is exact. */
  get name(): string {
    return this.batch.name(this.index);
  }
  /** The name as it is on disk; a copy. */
  get nameBytes(): Buffer {
    return this.batch.nameBytes(this.index);
  }
  /** What it is, by its directory's record; no symlink is followed. */
  get kind(): Kind {
    return this.batch.kind(this.index);
  }
  /** `kind` is 'file'. */
  isFile(): boolean {
    return this.kind === 'file';
  }
  /** `kind` is 'directory'. */
  isDirectory(): boolean {
    return this.kind === 'directory';
  }
  /** `kind` is 'symlink'. */
  isSymbolicLink(): boolean {
    return this.kind === 'symlink';
  }
  /** `kind` is 'fifo'. */
  isFIFO(): boolean {
    return this.kind === 'fifo';
  }
  /** `kind` is 'socket'. */
  isSocket(): boolean {
    return this.kind === 'socket';
  }
  /** `kind` is 'character-device'. */
  isCharacterDevice(): boolean {
    return this.kind === 'character-device';
  }
  /** `kind` is 'block-device'. */
  isBlockDevice(): boolean {
    return this.kind === 'block-device';
  }
}

/** A directory entry with its whole stat, as `entries` returns it. */
export class DirectoryEntry extends NamedEntry {
  /** Its whole status, from the statx(2) that was made when the directory was read. */
  get stat(): Stat {
    return this.batch.stat(this.index);
  }
}
