/** Reading what atomic writers write: whole and decoded, or in chunks, never more than was allowed. */

import { createHash } from 'node:crypto';
import type { SignalOptions } from '../dirfd/fd.js';
import type { FileFd } from '../dirfd/file-fd.js';
import { toInteger } from '../dirfd/flags.js';
import type { Stat } from '../dirfd/stat.js';
import type { ErrorSubject } from '../errors.js';
import { FileSizeError, operationError } from '../operation-errors.js';
import { decodeText, parseJson, parseYaml } from './content.js';
import { toSize } from './options.js';
import { isSettled } from './settled.js';
import { type AtomicTarget, type HeldTarget, holdTarget } from './target.js';

/** How a file is read in pieces. */
export interface ReadChunksOptions extends SignalOptions {
  /** Bytes of each chunk but the last. Default 8192. */
  readonly chunkSize?: number | undefined;
  /** Bytes at most; a larger file fails with a FileSizeError. Default: no limit. */
  readonly maxFileSize?: number | undefined;
}

/**
 * The content of a regular file, a chunk at a time; a symlink is refused, a FIFO or device never opened. One that grows meanwhile is held to
 * the limit all the same.
 *
 * @throws FileSizeError before the first chunk, if the file is too large already
 */
export async function* readChunks(target: AtomicTarget, options: ReadChunksOptions = {}): AsyncGenerator<Buffer> {
  await using held = await holdTarget(target, 'readChunks');
  const { subject } = held;
  const chunkSize = toInteger(options.chunkSize ?? 8192, 'chunkSize', 1, 2 ** 30, subject);
  const limit = toSize('maxFileSize', options.maxFileSize ?? Number.POSITIVE_INFINITY, subject);
  await using file = await held.directory.openFile(held.path, { signal: options.signal });
  requireSize((await file.stat()).size, limit, subject);
  for (let position = 0; ; ) {
    const chunk = await fill(file, Buffer.allocUnsafe(chunkSize), position, options.signal);
    position += chunk.length;
    requireSize(position, limit, subject);
    if (chunk.length > 0) yield chunk;
    if (chunk.length < chunkSize) return;
  }
}

/** A short read is not yet the end. */
async function fill(file: FileFd, buffer: Buffer, from: number, signal: AbortSignal | undefined): Promise<Buffer> {
  let filled = 0;
  while (filled < buffer.length) {
    const { bytesRead } = await file.read(buffer, { offset: filled, position: from + filled, signal });
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

function requireSize(size: number, limit: number, subject: ErrorSubject): void {
  if (size <= limit) return;
  const why = `${size} bytes are more than ${limit}`;
  throw operationError(FileSizeError, 'ERR_DIRFD_TOO_LARGE', why, subject, undefined, limit);
}

/** JSON or YAML. */
export type Format = 'json' | 'yaml';

/** By the name's end: .yaml and .yml are YAML, all else is JSON. */
export function formatOf(path: string | Uint8Array): Format {
  return /\.ya?ml$/i.test(Buffer.from(path).toString('latin1')) ? 'yaml' : 'json';
}

/** A file's data, and how to tell that it is still as it was when it was read. */
export async function readData(
  { directory, path, subject }: HeldTarget,
  format: Format,
): Promise<{ readonly data: unknown; readonly unchanged: Stat | { readonly sha256: string } }> {
  await using file = await directory.openFile(path);
  const lookedAt = Date.now();
  const stat = await file.stat();
  const bytes = await file.readFile();
  const text = decodeText(bytes, 'utf-8', subject);
  const unchanged = isSettled(stat, lookedAt) ? stat : { sha256: createHash('sha256').update(bytes).digest('hex') };
  return { data: format === 'yaml' ? await parseYaml(text, subject) : parseJson(text, subject), unchanged };
}
