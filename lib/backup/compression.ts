/** The compressions of stored files, by zlib of Node: gzip everywhere, zstd from Node 22.15 and 23.8 on. */

import type { Transform } from 'node:stream';
import zlib, { type ZlibOptions } from 'node:zlib';
import { type ErrorSubject, ownError } from '../errors.js';

const COMPRESSIONS = ['zstd', 'gzip'] as const;
export type Compression = (typeof COMPRESSIONS)[number];

type Convert = (bytes: Uint8Array, options?: Pick<ZlibOptions, 'maxOutputLength'>) => Buffer;
type MakeTransform = (options: Pick<ZlibOptions, 'chunkSize'>) => Transform;

/** Not in the types of the oldest Node that is supported, nor in that Node. */
const { createZstdCompress, createZstdDecompress, zstdCompressSync, zstdDecompressSync } = zlib as {
  readonly createZstdCompress?: MakeTransform;
  readonly createZstdDecompress?: MakeTransform;
  readonly zstdCompressSync?: Convert;
  readonly zstdDecompressSync?: Convert;
};

const CHUNKS = { chunkSize: 256 * 1024 };

/**
 * @param asked true for zstd where this Node has it, and gzip elsewhere
 * @throws FsError ERR_DIRFD_INVALID_ARGUMENT; ERR_DIRFD_UNSUPPORTED for zstd where this Node has none
 */
export function toCompression(
  asked: boolean | Compression | undefined,
  subject: ErrorSubject,
): Compression | undefined {
  if (asked === undefined || asked === false) return undefined;
  if (asked === true) return createZstdCompress ? 'zstd' : 'gzip';
  if (!COMPRESSIONS.includes(asked)) {
    throw ownError('ERR_DIRFD_INVALID_ARGUMENT', `compress is 'zstd', 'gzip', true or false, not '${asked}'`, subject);
  }
  if (!canDecompress(asked)) throw unsupported(asked, subject);
  return asked;
}

/** Whether this Node and this dirfd can, of a version that perhaps others have made. */
export function canDecompress(compression: Compression | undefined): boolean {
  if (compression === 'zstd') return createZstdDecompress !== undefined;
  return compression === undefined || compression === 'gzip';
}

/** @param compression one that {@link canDecompress} denies */
export function unsupported(compression: Compression, subject: ErrorSubject): Error {
  const why = COMPRESSIONS.includes(compression)
    ? 'zstd needs Node 22.15, 23.8 or later; gzip is everywhere'
    : `compressed by '${compression}', which this dirfd does not know`;
  return ownError('ERR_DIRFD_UNSUPPORTED', why, subject);
}

export function compressor(compression: Compression): Transform {
  return compression === 'gzip' ? zlib.createGzip(CHUNKS) : (createZstdCompress as MakeTransform)(CHUNKS);
}

export function decompressor(compression: Compression): Transform {
  return compression === 'gzip' ? zlib.createGunzip(CHUNKS) : (createZstdDecompress as MakeTransform)(CHUNKS);
}

/** All at once, on the calling thread: for little, of which a stream costs many times as much. */
export function compressBytes(compression: Compression, bytes: Uint8Array): Buffer {
  return compression === 'gzip' ? zlib.gzipSync(bytes) : (zstdCompressSync as Convert)(bytes);
}

/** @throws an Error of code ERR_BUFFER_TOO_LARGE for more than so many bytes */
export function decompressBytes(compression: Compression, bytes: Uint8Array, atMost: number): Buffer {
  const limit = { maxOutputLength: Math.max(atMost, 1) };
  return compression === 'gzip' ? zlib.gunzipSync(bytes, limit) : (zstdDecompressSync as Convert)(bytes, limit);
}
