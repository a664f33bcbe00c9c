/** Content in chunks, written as one file. */

import type { AtomicWriteOptions } from './options.js';
import type { AtomicWriteResult } from './replace.js';
import type { AtomicTarget } from './target.js';
import { AtomicWriter, type Chunks } from './writer.js';

/** How chunks are written. */
export interface WriteChunksOptions extends AtomicWriteOptions {
  /** The same as `maxSize`. */
  readonly maxFileSize?: number | undefined;
}

/** Replaces a file by what a stream or an iterable gives, whole or not at all. See {@link AtomicWriter.commit} for errors. */
export async function writeChunks(
  target: AtomicTarget,
  source: Chunks,
  { maxFileSize, ...options }: WriteChunksOptions = {},
): Promise<AtomicWriteResult> {
  await using writer = new AtomicWriter(target, { ...options, maxSize: options.maxSize ?? maxFileSize });
  await writer.writeChunks(source);
  return await writer.commit();
}
