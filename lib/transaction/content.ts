/** Values as the bytes of a file: text, JSON, YAML, checked against a JSON Schema where one is given. Libraries are loaded when first used. */

import type { ErrorSubject } from '../errors.js';
import { ContentError, type ContentIssue, operationError } from '../operation-errors.js';
import type { Bytes } from './staging.js';

/** What a value is written as. */
export type ContentType = 'text' | 'json' | 'yaml' | 'bytes';

/** A JSON Schema, draft 7 or 2020-12 as ajv takes it. */
export type Schema = Readonly<Record<string, unknown>> | boolean;

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

/**
 * JSON with a newline at its end, as editors want it.
 *
 * @throws ContentError for what violates the schema, or has no JSON form
 */
export async function jsonOf(
  value: unknown,
  indent: number,
  schema: Schema | undefined,
  subject: ErrorSubject,
): Promise<Buffer> {
  await checkSchema(value, schema, subject);
  let text: string | undefined;
  let cause: unknown;
  try {
    text = JSON.stringify(value, undefined, indent);
  } catch (error) {
    cause = error;
  }
  if (text !== undefined) return Buffer.from(`${text}\n`);
  throw operationError(ContentError, 'ERR_DIRFD_INVALID_CONTENT', 'the value has no JSON form', subject, cause);
}

/** @throws ContentError for what violates the schema, or has no YAML form */
export async function yamlOf(value: unknown, schema: Schema | undefined, subject: ErrorSubject): Promise<Buffer> {
  await checkSchema(value, schema, subject);
  const { stringify } = await import('yaml');
  try {
    return Buffer.from(stringify(value));
  } catch (error) {
    throw operationError(ContentError, 'ERR_DIRFD_INVALID_CONTENT', 'the value has no YAML form', subject, error);
  }
}

/** @throws ContentError with all complaints, naming each JSON pointer */
export async function checkSchema(value: unknown, schema: Schema | undefined, subject: ErrorSubject): Promise<void> {
  if (schema === undefined) return;
  const [{ Ajv }, formats] = await Promise.all([import('ajv'), import('ajv-formats')]);
  const ajv = new Ajv({ allErrors: true, strict: false });
  formats.default.default(ajv);
  let issues: ContentIssue[];
  try {
    const validate = ajv.compile(schema);
    if (validate(value)) return;
    issues = (validate.errors ?? []).map(({ instancePath, message = 'is invalid', params }) => ({
      pointer: instancePath,
      message: 'additionalProperty' in params ? `${message}: '${params.additionalProperty}'` : message,
    }));
  } catch (error) {
    throw operationError(ContentError, 'ERR_DIRFD_INVALID_CONTENT', 'the schema is no JSON Schema', subject, error);
  }
  const [first] = issues;
  const why = `at '${first?.pointer || '/'}': ${first?.message}`;
  throw operationError(ContentError, 'ERR_DIRFD_INVALID_CONTENT', why, subject, undefined, issues);
}
