/** What the caller gives for a file, as bytes or pieces of bytes. */

import { encodeText, type TextEncoding } from '../atomic/content.js';
import type { ErrorSubject } from '../errors.js';
import { ContentError, operationError } from '../operation-errors.js';
import type { Bytes } from './staging.js';

/** What a value is written as. */
export type ContentType = 'text' | 'json' | 'yaml' | 'bytes';

/** Text, bytes, or pieces of either (a stream). */
export type Content = string | Uint8Array | AsyncIterable<Uint8Array | string>;

/** @throws ContentError, also for text that the encoding cannot express; of a stream, once it comes to that piece */
export function toBytesOf(content: Content, encoding: TextEncoding, subject: ErrorSubject): Bytes {
  if (typeof content === 'string') return encodeText(content, encoding, subject);
  if (content instanceof Uint8Array) return content;
  if (typeof content === 'object' && content !== null && Symbol.asyncIterator in content)
    return pieces(content, encoding, subject);
  const why = 'the content must be a string, a Uint8Array or a stream of them';
  throw operationError(ContentError, 'ERR_DIRFD_INVALID_CONTENT', why, subject);
}

async function* pieces(content: AsyncIterable<Uint8Array | string>, encoding: TextEncoding, subject: ErrorSubject) {
  for await (const piece of content) yield typeof piece === 'string' ? encodeText(piece, encoding, subject) : piece;
}
