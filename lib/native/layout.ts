/**
 * The packed layout of native/ops/record.h, as this side reads it. Offsets are in bytes; all numbers are little-endian.
 *
 *   BatchHeader | EntryRecord × entries | DirectoryRecord × directories | heap
 */

export const LAYOUT = {
  version: 2,
  headerSize: 32,
  statSize: 128,
  entrySize: 144,
  directorySize: 16,

  // StatRecord
  ino: 0,
  size: 8,
  blocks: 16,
  dev: 24,
  rdev: 32,
  mountId: 40,
  attributes: 48,
  atimeSeconds: 56,
  mtimeSeconds: 64,
  ctimeSeconds: 72,
  birthtimeSeconds: 80,
  atimeNanoseconds: 88,
  mtimeNanoseconds: 92,
  ctimeNanoseconds: 96,
  birthtimeNanoseconds: 100,
  mode: 104,
  uid: 108,
  gid: 112,
  nlink: 116,
  blksize: 120,
  mask: 124,

  // EntryRecord, after its StatRecord
  nameOffset: 128,
  nameLength: 132,
  event: 134,
  call: 135,
  directory: 136,
  err: 140,

  // DirectoryRecord
  pathOffset: 0,
  pathLength: 4,
  depth: 8,

  // BatchHeader
  entries: 4,
  directories: 8,
  heapOffset: 12,
  heapLength: 16,
  ascii: 20,
  special: 24,
} as const;

/** `event` of an EntryRecord. */
export const EVENT = { entry: 0, error: 1, leave: 2, ignoreFile: 3 } as const;

/**
 * The 32-bit words of a record or batch: one load a field, where Buffer's readers take four and their checks. Every field begins at a
 * multiple of 4, and the numbers are little-endian, as all machines are that dirfd is built for.
 */
export function wordsOf(bytes: Uint8Array): Uint32Array {
  // Not slice(): a Buffer's is a view of the same, unaligned bytes.
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : new Uint8Array(bytes);
  return new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.length >> 2);
}

/**
 * Compares with what the addon was compiled with.
 *
 * @throws Error where they differ: a stale build beside newer JavaScript would misread memory.
 */
export function checkLayout(compiled: Readonly<Record<string, number>>): void {
  for (const [field, offset] of Object.entries(LAYOUT)) {
    if (compiled[field] !== offset) {
      throw new Error(
        `dirfd: the addon's layout differs at '${field}' (${compiled[field]}, expected ${offset}): build it again`,
      );
    }
  }
}
