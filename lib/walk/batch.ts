/** Packed batches as a walk sees them: paths, depths and errors, on top of lib/dirfd/entries.ts. */

import type { DirectoryFd } from '../dirfd/directory-fd.js';
import { PackedBatch } from '../dirfd/entries.js';
import { type FsError, toFsError } from '../errors.js';
import { native } from '../native/load.js';
import { Entry } from './entry.js';

/** What all batches of a walk share. */
export interface WalkContext {
  readonly root: DirectoryFd;
  /** Paths may lead through symlinks, beneath the root. */
  readonly follow: boolean;
  /** Names are Buffers. */
  readonly buffers: boolean;
}

const DIRECTORY_MODE = 0o040000;

export class WalkBatch extends PackedBatch {
  readonly context: WalkContext;
  /** A byte for each record: 1 is for the consumer. None: all are, but for what is no entry. */
  chosen: Uint8Array | undefined;
  readonly #prefixes: string[] = [];

  constructor(bytes: Buffer, context: WalkContext) {
    super(bytes);
    this.context = context;
  }

  override mode(index: number): number {
    // An error without a name is about the directory itself.
    return this.#isAboutDirectory(index) ? DIRECTORY_MODE : super.mode(index);
  }

  depth(index: number): number {
    return this.directoryDepth(this.directoryOf(index)) - (this.#isAboutDirectory(index) ? 1 : 0);
  }

  path(index: number): string {
    if (this.#isAboutDirectory(index)) return this.directoryPath(this.directoryOf(index));
    return this.#prefix(this.directoryOf(index)) + this.name(index);
  }

  /** The path's bytes, a character each. Not for errors. */
  pathAsLatin1(index: number): string {
    return prefixOf(this.directoryPathAsLatin1(this.directoryOf(index))) + this.nameAsLatin1(index);
  }

  pathBytes(index: number): Buffer {
    const directory = this.directoryPathBytes(this.directoryOf(index));
    const name = this.nameBytes(index);
    if (directory.length === 0) return name;
    return name.length === 0 ? directory : Buffer.concat([directory, SLASH, name]);
  }

  entryName(index: number): string {
    if (!this.#isAboutDirectory(index)) return this.name(index);
    const path = this.path(index);
    return path.slice(path.lastIndexOf('/') + 1);
  }

  entryNameBytes(index: number): Buffer {
    if (!this.#isAboutDirectory(index)) return this.nameBytes(index);
    const path = this.pathBytes(index);
    return path.subarray(path.lastIndexOf(SLASH) + 1);
  }

  error(index: number): FsError | undefined {
    if (!this.isError(index)) return undefined;
    const path = this.pathBytes(index);
    const subject = {
      verb: 'walk',
      directory: this.context.root.path,
      path: path.length === 0 ? '.' : this.context.buffers || !isUtf8(path) ? path : path.toString('utf8'),
    };
    return toFsError(this.failure(index), native.callNames, subject) as FsError;
  }

  /** What the paths of a directory's entries begin with, made once: they lie side by side. */
  #prefix(directory: number): string {
    return (this.#prefixes[directory] ??= prefixOf(this.directoryPath(directory)));
  }

  #isAboutDirectory(index: number): boolean {
    return !this.isPlain && this.isError(index) && this.name(index) === '';
  }
}

const SLASH = Buffer.from('/');

function prefixOf(directory: string): string {
  return directory === '' ? '' : `${directory}/`;
}

function isUtf8(bytes: Buffer): boolean {
  return Buffer.from(bytes.toString('utf8')).equals(bytes);
}

/** A batch of entries, as {@link Walk.batches} gives them. */
export class EntryBatch<Name extends string | Buffer = string> implements Iterable<Entry<Name>> {
  readonly #batch: WalkBatch;
  readonly #indices: readonly number[];

  /** @internal */
  constructor(batch: WalkBatch, indices: readonly number[]) {
    this.#batch = batch;
    this.#indices = indices;
  }

  get length(): number {
    return this.#indices.length;
  }
  at(position: number): Entry<Name> | undefined {
    const index = this.#indices.at(position);
    return index === undefined ? undefined : new Entry<Name>(this.#batch, index);
  }
  *[Symbol.iterator](): IterableIterator<Entry<Name>> {
    for (const index of this.#indices) yield new Entry<Name>(this.#batch, index);
  }
}
