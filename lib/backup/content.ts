/** What a stored file holds, as it was before it was compressed: hashed, and on request written elsewhere, a chunk at a time. */

import { createHash } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import type { DirectoryFd } from '../dirfd/directory-fd.js';
import type { SignalOptions } from '../dirfd/fd.js';
import type { FileFd } from '../dirfd/file-fd.js';
import type { RelativePath } from '../dirfd/path.js';
import { type Compression, compressBytes, compressor, decompressBytes, decompressor } from './compression.js';

const CHUNK = 1024 * 1024;

/** Bytes of content that are converted at once: about a millisecond. */
const LITTLE = 64 * 1024;

export interface ContentSum {
  readonly size: number;
  /** SHA-256, in hexadecimal. */
  readonly sha256: string;
}

/** How content is read. */
export interface ReadContentOptions extends SignalOptions {
  /** In which it is stored. */
  readonly compression?: Compression | undefined;
  /** Bytes, from which on a compressed file is taken for damaged: it must not fill memory or disk. */
  readonly atMost?: number | undefined;
  /** Gets the content too, from its position on. */
  readonly into?: FileFd | undefined;
}

/** A compressed file that is not what was written. */
export class DamagedContent extends Error {}

export async function hashFile(
  directory: DirectoryFd,
  path: RelativePath,
  options: ReadContentOptions,
): Promise<ContentSum> {
  await using file = await directory.openFile(path, { signal: options.signal });
  return await hashContent(file, options);
}

/** @throws DamagedContent for what cannot be decompressed */
export async function hashContent(
  file: FileFd,
  { signal, compression, atMost = Number.POSITIVE_INFINITY, into }: ReadContentOptions,
): Promise<ContentSum> {
  const hash = createHash('sha256');
  let size = 0;
  const take = async (chunk: Uint8Array) => {
    size += chunk.length;
    if (compression && size > atMost) throw new DamagedContent();
    hash.update(chunk);
    await into?.writeFile(chunk, { signal });
  };
  if (compression) await decompress(file, compression, take, { signal, atMost });
  else await readAll(file, take, signal);
  return { size, sha256: hash.digest('hex') };
}

/**
 * Writes the file's content, `size` bytes from its position on, to another, compressed.
 *
 * @returns the sum of what was read
 */
export async function compress(
  from: FileFd,
  to: FileFd,
  { compression, size: expected, signal }: SignalOptions & { readonly compression: Compression; readonly size: number },
): Promise<ContentSum> {
  const hash = createHash('sha256');
  if (expected <= LITTLE) {
    const content = await from.readFile({ signal });
    await to.writeFile(compressBytes(compression, content), { signal });
    return { size: content.length, sha256: hash.update(content).digest('hex') };
  }
  let size = 0;
  const measured = async function* (chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      size += chunk.length;
      hash.update(chunk);
      yield chunk;
    }
  };
  const source = from.createReadStream({ highWaterMark: CHUNK, autoClose: false });
  const sink = to.createWriteStream({ autoClose: false });
  await abortable(signal, (how) => pipeline(source, measured, compressor(compression), sink, how));
  return { size, sha256: hash.digest('hex') };
}

async function decompress(
  file: FileFd,
  compression: Compression,
  take: (chunk: Uint8Array) => Promise<void>,
  { signal, atMost }: SignalOptions & { readonly atMost: number },
): Promise<void> {
  if (atMost <= LITTLE && (await file.stat({ signal })).exactSize <= LITTLE) {
    const stored = await file.readFile({ signal });
    return await take(asDamage(() => decompressBytes(compression, stored, atMost)));
  }
  const source = file.createReadStream({ highWaterMark: CHUNK, autoClose: false });
  // What stops the loop destroys the streams, and pipeline would tell of that instead.
  let failure: { readonly thrown: unknown } | undefined;
  const takeAll = async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) {
      await take(chunk).catch((thrown: unknown) => {
        failure = { thrown };
        throw thrown;
      });
    }
  };
  try {
    await abortable(signal, (how) => pipeline(source, decompressor(compression), takeAll, how));
  } catch (error) {
    if (failure) throw failure.thrown;
    throw isDamage(error) ? new DamagedContent() : error;
  }
}

function asDamage(convert: () => Buffer): Buffer {
  try {
    return convert();
  } catch (error) {
    throw isDamage(error) ? new DamagedContent() : error;
  }
}

/** What zlib and zstd say of bytes that they have not made: Z_DATA_ERROR, ZSTD_error_…; and Node of more than there should be. */
function isDamage(error: unknown): boolean {
  const { code } = error as { readonly code?: unknown };
  return typeof code === 'string' && /^Z(STD)?_|^ERR_BUFFER_TOO_LARGE$/.test(code);
}

async function readAll(
  file: FileFd,
  take: (chunk: Uint8Array) => Promise<void>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const buffer = Buffer.allocUnsafe(CHUNK);
  for (;;) {
    const { bytesRead } = await file.read(buffer, { signal });
    if (bytesRead === 0) return;
    await take(buffer.subarray(0, bytesRead));
  }
}

/** Streams end with an AbortError of their own; callers are told the signal's reason, as everywhere. */
async function abortable(
  signal: AbortSignal | undefined,
  work: (how: { readonly signal?: AbortSignal }) => Promise<void>,
): Promise<void> {
  try {
    await work(signal ? { signal } : {});
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}
