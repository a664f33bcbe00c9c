/** Reads packed batches (lib/native/layout.ts): names as text or bytes, and stats. */

import { type InspectOptions, inspect } from 'node:util';
import { EVENT, LAYOUT, wordsOf } from '../native/layout.js';
import { HasKind, type Kind, kindOfMode } from './kind.js';
import { Stat } from './stat.js';

// Positions in 32-bit words.
const HEADER = LAYOUT.headerSize >> 2;
const ENTRY = LAYOUT.entrySize >> 2;
const DIRECTORY = LAYOUT.directorySize >> 2;
const MODE = LAYOUT.mode >> 2;
const NAME_OFFSET = LAYOUT.nameOffset >> 2;
/** The length of the name in 16 bits, the event and the call in 8 each. */
const NAME_AND_EVENT = LAYOUT.nameLength >> 2;
const DIRECTORY_INDEX = LAYOUT.directory >> 2;
const ERRNO = LAYOUT.err >> 2;

/** One packed batch. Offsets are computed once; names are decoded when asked. */
export class PackedBatch {
  readonly bytes: Buffer;
  readonly words: Uint32Array;
  readonly length: number;
  /** Every record is an entry: no errors, no leave events. */
  readonly isPlain: boolean;
  readonly #heap: number;
  readonly #directories: number;
  /** The whole heap as text where every byte is ASCII: then names are substrings. */
  readonly #text: string | undefined;

  constructor(bytes: Buffer) {
    const words = wordsOf(bytes);
    this.bytes = bytes;
    this.words = words;
    this.length = words[LAYOUT.entries >> 2] as number;
    this.isPlain = words[LAYOUT.special >> 2] === 0;
    this.#heap = words[LAYOUT.heapOffset >> 2] as number;
    this.#directories = HEADER + this.length * ENTRY;
    if (words[LAYOUT.ascii >> 2] === 1) this.#text = bytes.toString('latin1', this.#heap);
  }

  isError(index: number): boolean {
    return this.event(index) === EVENT.error;
  }

  event(index: number): number {
    return ((this.words[HEADER + index * ENTRY + NAME_AND_EVENT] as number) >> 16) & 0xff;
  }

  mode(index: number): number {
    return this.words[HEADER + index * ENTRY + MODE] as number;
  }

  kind(index: number): Kind {
    return kindOfMode(this.mode(index));
  }

  stat(index: number): Stat {
    return new Stat(this.words, HEADER + index * ENTRY);
  }

  name(index: number): string {
    const at = HEADER + index * ENTRY;
    return this.#slice(this.words[at + NAME_OFFSET] as number, (this.words[at + NAME_AND_EVENT] as number) & 0xffff);
  }

  /** A copy, so that a kept name does not keep the batch. */
  nameBytes(index: number): Buffer {
    const at = HEADER + index * ENTRY;
    return this.#copy(this.words[at + NAME_OFFSET] as number, (this.words[at + NAME_AND_EVENT] as number) & 0xffff);
  }

  /** The index of the directory record that entry `index` belongs to. */
  directoryOf(index: number): number {
    return this.words[HEADER + index * ENTRY + DIRECTORY_INDEX] as number;
  }

  directoryDepth(directory: number): number {
    return this.words[this.#directories + directory * DIRECTORY + (LAYOUT.depth >> 2)] as number;
  }

  /** Relative to the root; empty for the root itself. */
  directoryPath(directory: number): string {
    const at = this.#directories + directory * DIRECTORY;
    return this.#slice(
      this.words[at + (LAYOUT.pathOffset >> 2)] as number,
      this.words[at + (LAYOUT.pathLength >> 2)] as number,
    );
  }

  directoryPathBytes(directory: number): Buffer {
    const at = this.#directories + directory * DIRECTORY;
    return this.#copy(
      this.words[at + (LAYOUT.pathOffset >> 2)] as number,
      this.words[at + (LAYOUT.pathLength >> 2)] as number,
    );
  }

  /** The name's bytes as text of a character each, for code that compares bytes: strings are quicker to handle than Buffers. */
  nameAsLatin1(index: number): string {
    const at = HEADER + index * ENTRY;
    return this.#latin1(this.words[at + NAME_OFFSET] as number, (this.words[at + NAME_AND_EVENT] as number) & 0xffff);
  }
  directoryPathAsLatin1(directory: number): string {
    const at = this.#directories + directory * DIRECTORY;
    return this.#latin1(
      this.words[at + (LAYOUT.pathOffset >> 2)] as number,
      this.words[at + (LAYOUT.pathLength >> 2)] as number,
    );
  }
  /** The content of an ignore file's record, in latin1 too. */
  ignoreFile(index: number): string {
    const at = HEADER + index * ENTRY;
    return this.#latin1(this.words[at + NAME_OFFSET] as number, this.words[at + (LAYOUT.size >> 2)] as number);
  }

  /** What an error record tells, in the form that lib/errors.ts reads. */
  failure(index: number): { errno: number; call: number; reason: number; subject: number; flags: number } {
    const at = HEADER + index * ENTRY;
    return {
      errno: this.words[at + ERRNO] as number,
      call: (this.words[at + NAME_AND_EVENT] as number) >>> 24,
      reason: this.words[at + (LAYOUT.mask >> 2)] as number,
      subject: 1,
      flags: this.words[at + (LAYOUT.attributes >> 2)] as number,
    };
  }

  #slice(offset: number, length: number): string {
    if (this.#text !== undefined) return this.#text.substring(offset, offset + length);
    const start = this.#heap + offset;
    return this.bytes.toString('utf8', start, start + length);
  }

  #latin1(offset: number, length: number): string {
    if (this.#text !== undefined) return this.#text.substring(offset, offset + length);
    const start = this.#heap + offset;
    return this.bytes.toString('latin1', start, start + length);
  }

  #copy(offset: number, length: number): Buffer {
    const start = this.#heap + offset;
    return Buffer.from(this.bytes.subarray(start, start + length));
  }
}

/** A name in a directory and what it is, as `readdir` with `withFileTypes` returns it. The methods are those of node:fs's Dirent. */
export class NamedEntry extends HasKind {
  /** @internal */
  protected readonly batch: PackedBatch;
  /** @internal */
  protected readonly index: number;

  /** @internal */
  constructor(batch: PackedBatch, index: number) {
    super();
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
  override get kind(): Kind {
    return this.batch.kind(this.index);
  }

  /** What console.log shows. */
  [inspect.custom](_depth: number, options: InspectOptions): string {
    const { name, kind } = this;
    return `${this.constructor.name} ${inspect({ name, kind }, options)}`;
  }
}

/** A directory entry with its whole stat, as `entries` returns it. */
export class DirectoryEntry extends NamedEntry {
  /** Its whole status, from the statx(2) that was made when the directory was read. */
  get stat(): Stat {
    return this.batch.stat(this.index);
  }
}
