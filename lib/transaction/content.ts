/** What the caller gives for a file, as bytes or pieces of bytes. */

import type { ErrorSubject } from '../errors.js';
import { ContentError, operationError } from '../operation-errors.js';
import type { Bytes } from './staging.js';

/** What a value is written as. */
export type ContentType = 'text' | 'json' | 'yaml' | 'bytes';

/** Text in any encoding that Node has, bytes, or pieces of bytes (a stream). */
export type Content = string | Uint8Array | AsyncIterable<Uint8Array | string>;

/** @throws ContentError */
export function toBytesOf(content: Content, encoding: BufferEncoding, subject: ErrorSubject): Bytes {
  if (typeof content === 'string') return Buffer.from(content, encoding);
  if (content instanceof Uint8Array) return content;
  if (typeof content === 'object' && content !== null && Symbol.asyncIterator in content)
    return pieces(content, encoding);
  const why = 'the content must be a string, a Uint8Array or a stream of them';
  throw operationError(ContentError, 'ERR_DIRFD_INVALID_CONTENT', why, subject);
}

async function* pieces(content: AsyncIterable<Uint8Array | string>, encoding: BufferEncoding) {
  for await (const piece of content) yield typeof piece === 'string' ? Buffer.from(piece, encoding) : piece;
}
