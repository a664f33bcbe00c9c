/** Stat: all that statx(2) tells of a file, read from its packed record when asked. */

import { type InspectOptions, inspect } from 'node:util';
import { ownError } from '../errors.js';
import { LAYOUT, wordsOf } from '../native/layout.js';
import { HasKind, type Kind, kindOfMode } from './kind.js';

/**
 * The status of a file. `mode`, `uid`, `gid`, `nlink`, `size`, `blocks` are numbers, inodes and times exact bigints. A view: it keeps the
 * record (128 bytes, or the batch of entries that it came in) alive.
 */
export class Stat extends HasKind {
  readonly #words: Uint32Array;
  readonly #at: number;

  /** @internal From a record's bytes, or from the words of a batch and the index where the record begins. */
  constructor(record: Uint8Array | Uint32Array, at = 0) {
    super();
    this.#words = record instanceof Uint32Array ? record : wordsOf(record);
    this.#at = at;
  }

  /** Type and permission bits. */
  get mode(): number {
    return this.#u32(LAYOUT.mode);
  }
  /** User id of the owner. */
  get uid(): number {
    return this.#u32(LAYOUT.uid);
  }
  /** Group id of the owner. */
  get gid(): number {
    return this.#u32(LAYOUT.gid);
  }
  /** Hard links; of a directory, what the file system likes to tell. */
  get nlink(): number {
    return this.#u32(LAYOUT.nlink);
  }
  /**
   * In bytes.
   * @throws FsError ERR_DIRFD_TOO_LARGE past 2^53 - 1, where a number would be rounded; see {@link exactSize}
   */
  get size(): number {
    return this.#count(LAYOUT.size, 'size');
  }
  /** In bytes, whatever it is: a sparse file, or a file system that lies, may claim up to 2^63 - 1. */
  get exactSize(): bigint {
    return this.#u64(LAYOUT.size);
  }
  /** Allocated blocks of 512 bytes. */
  get blocks(): number {
    return this.#count(LAYOUT.blocks, 'blocks');
  }
  /** Preferred size of a read or write, in bytes. */
  get blksize(): number {
    return this.#u32(LAYOUT.blksize);
  }
  /** Inode number, unique on its file system. */
  get ino(): bigint {
    return this.#u64(LAYOUT.ino);
  }
  /** The file system's device, as makedev(3) packs it. */
  get dev(): bigint {
    return this.#u64(LAYOUT.dev);
  }
  /** The device that a device node stands for. */
  get rdev(): bigint {
    return this.#u64(LAYOUT.rdev);
  }
  /** Tells two mounts of one file system apart, as `dev` cannot; 0n before Linux 5.8. */
  get mountId(): bigint {
    return this.#u64(LAYOUT.mountId);
  }
  /** STATX_ATTR_* bits (statx(2)): 0x10 immutable, 0x20 append-only, 0x2000 mount root, … */
  get attributes(): bigint {
    return this.#u64(LAYOUT.attributes);
  }

  /** When the content was last read, in nanoseconds since 1970, negative before; as all of these. */
  get atimeNs(): bigint {
    return this.#time(LAYOUT.atimeSeconds, LAYOUT.atimeNanoseconds);
  }
  /** When the content was last changed. */
  get mtimeNs(): bigint {
    return this.#time(LAYOUT.mtimeSeconds, LAYOUT.mtimeNanoseconds);
  }
  /** When content or attributes were last changed; nobody can set it. */
  get ctimeNs(): bigint {
    return this.#time(LAYOUT.ctimeSeconds, LAYOUT.ctimeNanoseconds);
  }
  /** 0n where the file system keeps no birth time. */
  get birthtimeNs(): bigint {
    return this.#time(LAYOUT.birthtimeSeconds, LAYOUT.birthtimeNanoseconds);
  }
  /** Milliseconds since 1970, with what fraction of them a number can hold. */
  get atimeMs(): number {
    return Number(this.atimeNs) / 1e6;
  }
  /** As `atimeMs`. */
  get mtimeMs(): number {
    return Number(this.mtimeNs) / 1e6;
  }
  /** As `atimeMs`. */
  get ctimeMs(): number {
    return Number(this.ctimeNs) / 1e6;
  }
  /** As `atimeMs`; 0 where the file system keeps no birth time. */
  get birthtimeMs(): number {
    return Number(this.birthtimeNs) / 1e6;
  }
  /** `atimeNs`, rounded down to milliseconds. */
  get atime(): Date {
    return toDate(this.atimeNs);
  }
  /** As `atime`. */
  get mtime(): Date {
    return toDate(this.mtimeNs);
  }
  /** As `atime`. */
  get ctime(): Date {
    return toDate(this.ctimeNs);
  }
  /** As `atime`; 1970 where the file system keeps no birth time. */
  get birthtime(): Date {
    return toDate(this.birthtimeNs);
  }

  override get kind(): Kind {
    return kindOfMode(this.mode);
  }

  /** Plain numbers and decimal strings: JSON has no bigints. */
  toJSON(): Record<string, number | string> {
    return {
      kind: this.kind,
      mode: this.mode,
      uid: this.uid,
      gid: this.gid,
      nlink: this.nlink,
      size: this.size,
      blocks: this.blocks,
      ino: String(this.ino),
      dev: String(this.dev),
      rdev: String(this.rdev),
      mountId: String(this.mountId),
      atimeNs: String(this.atimeNs),
      mtimeNs: String(this.mtimeNs),
      ctimeNs: String(this.ctimeNs),
      birthtimeNs: String(this.birthtimeNs),
    };
  }

  /** What console.log shows: the getters' values. */
  [inspect.custom](_depth: number, options: InspectOptions): string {
    const { kind, uid, gid, nlink, ino, dev, atime, mtime, ctime, birthtime } = this;
    const mode = `0o${this.mode.toString(8)}`;
    const [size, blocks] = [this.#u64(LAYOUT.size), this.#u64(LAYOUT.blocks)].map(asNumber);
    const shown = { kind, mode, uid, gid, nlink, size, blocks, ino, dev, atime, mtime, ctime, birthtime };
    return `Stat ${inspect(shown, options)}`;
  }

  /** `field` is an offset in bytes. */
  #u32(field: number): number {
    return this.#words[this.#at + (field >> 2)] as number;
  }
  #u64(field: number): bigint {
    return (BigInt(this.#u32(field + 4)) << 32n) | BigInt(this.#u32(field));
  }
  #count(field: number, name: string): number {
    const high = this.#u32(field + 4);
    if (high >= 0x200000) {
      throw ownError('ERR_DIRFD_TOO_LARGE', `${name} is ${this.#u64(field)}, more than a number can hold`, {
        verb: 'stat',
      });
    }
    return high * 0x1_0000_0000 + this.#u32(field);
  }
  #time(seconds: number, nanoseconds: number): bigint {
    return BigInt.asIntN(64, this.#u64(seconds)) * 1_000_000_000n + BigInt(this.#u32(nanoseconds));
  }
}

/** Where a number would be rounded, the bigint itself. */
function asNumber(value: bigint): number | bigint {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
}

/** Rounds towards the past, as Node does for times before 1970. */
function toDate(ns: bigint): Date {
  const ms = ns / 1_000_000n - (ns % 1_000_000n < 0n ? 1n : 0n);
  return new Date(Number(ms));
}
