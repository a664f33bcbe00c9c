/** Node streams over a FileFd. The stream holds the file open through its operations, and closes it at the end unless told not to. */

import { Readable, Writable } from 'node:stream';
import type { ErrorSubject } from '../errors.js';
import type { FileFd } from './file-fd.js';
import { toInteger } from './flags.js';

/** What {@link FileFd.createReadStream} reads, and in which pieces. */
export interface ReadStreamOptions {
  /** First byte. Default: the file's own position. */
  readonly start?: number | undefined;
  /** Last byte, included. Default: the end. */
  readonly end?: number | undefined;
  /** Bytes a read. Default 65536. */
  readonly highWaterMark?: number | undefined;
  /** Text instead of Buffers. */
  readonly encoding?: BufferEncoding | undefined;
  /** Close the file when the stream ends or fails. Default true. */
  readonly autoClose?: boolean | undefined;
  /** Destroys the stream. */
  readonly signal?: AbortSignal | undefined;
}

/** Where {@link FileFd.createWriteStream} writes, and what it does at the end. */
export interface WriteStreamOptions {
  /** Where to begin. Default: the file's own position. */
  readonly start?: number | undefined;
  /** Bytes that may wait to be written. Default 65536. */
  readonly highWaterMark?: number | undefined;
  /** Close the file when the stream ends or fails. Default true. */
  readonly autoClose?: boolean | undefined;
  /** fsync before the stream finishes. Default false. */
  readonly flush?: boolean | undefined;
  /** Destroys the stream. */
  readonly signal?: AbortSignal | undefined;
}

/** @throws FsError ERR_DIRFD_INVALID_ARGUMENT for a range that is none */
export function createReadable(file: FileFd, options: ReadStreamOptions): Readable {
  const { start, end = Number.POSITIVE_INFINITY, highWaterMark = 65536, autoClose = true } = options;
  const subject: ErrorSubject = { verb: 'createReadStream', path: file.path };
  if (start !== undefined) toInteger(start, 'start', 0, Number.MAX_SAFE_INTEGER, subject);
  if (end !== Number.POSITIVE_INFINITY) toInteger(end, 'end', start ?? 0, Number.MAX_SAFE_INTEGER, subject);
  let position = start;
  let left = end - (start ?? 0) + 1;
  return new Readable({
    highWaterMark,
    ...(options.encoding ? { encoding: options.encoding } : {}),
    ...(options.signal ? { signal: options.signal } : {}),
    read(size) {
      const chunk = Buffer.allocUnsafe(Math.min(size, left));
      if (chunk.length === 0) return void this.push(null);
      file.read(chunk, { position }).then(
        ({ bytesRead }) => {
          if (position !== undefined) position += bytesRead;
          left -= bytesRead;
          this.push(bytesRead === 0 ? null : chunk.subarray(0, bytesRead));
        },
        (error) => this.destroy(error),
      );
    },
    destroy: closing(file, autoClose),
  });
}

/** @throws FsError ERR_DIRFD_INVALID_ARGUMENT for a start that is no offset */
export function createWritable(file: FileFd, options: WriteStreamOptions): Writable {
  const { start, highWaterMark = 65536, autoClose = true, flush = false } = options;
  const subject: ErrorSubject = { verb: 'createWriteStream', path: file.path };
  if (start !== undefined) toInteger(start, 'start', 0, Number.MAX_SAFE_INTEGER, subject);
  let position = start;
  const writeAll = async (chunk: Uint8Array) => {
    for (let rest = chunk; rest.length > 0; ) {
      const { bytesWritten } = await file.write(rest, { position });
      if (position !== undefined) position += bytesWritten;
      rest = rest.subarray(bytesWritten);
    }
  };
  return new Writable({
    highWaterMark,
    ...(options.signal ? { signal: options.signal } : {}),
    write(chunk: Uint8Array, _encoding, callback) {
      writeAll(chunk).then(() => callback(), callback);
    },
    final(callback) {
      (flush ? file.sync() : Promise.resolve()).then(() => callback(), callback);
    },
    destroy: closing(file, autoClose),
  });
}

function closing(file: FileFd, autoClose: boolean) {
  return (error: Error | null, callback: (error?: Error | null) => void) => {
    if (!autoClose) return callback(error);
    file.close().then(
      () => callback(error),
      (closeError: Error) => callback(error ?? closeError),
    );
  };
}
