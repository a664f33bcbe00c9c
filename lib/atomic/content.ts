/** Between bytes and what they stand for: text in its encodings, JSON, YAML. What cannot be converted is an error, never a replacement character. */

import { type ErrorSubject, ownError } from '../errors.js';
import { ContentError, operationError } from '../operation-errors.js';
import { type JsonSchema, requireValid } from './schema.js';

/** Encodings of text. Those of more than one byte a character are little-endian. */
export type TextEncoding = 'utf-8' | 'utf8' | 'utf-16le' | 'utf16le' | 'latin1' | 'ascii';

/** Of the encodings with one byte a character, the last one. */
const LAST: Readonly<Record<string, number>> = { latin1: 0xff, ascii: 0x7f };

/** @throws ContentError for a character that the encoding lacks, a lone surrogate among them */
export function encodeText(text: string, encoding: TextEncoding, subject: ErrorSubject): Buffer {
  if (typeof text !== 'string') throw ownError('ERR_DIRFD_INVALID_ARGUMENT', 'the content must be a string', subject);
  const last = LAST[encoding];
  if (last !== undefined) {
    const at = [...text].findIndex((character) => (character.codePointAt(0) ?? 0) > last);
    if (at >= 0) throw unencodable(`character ${at + 1} is not in ${encoding}`, subject);
    return Buffer.from(text, 'latin1');
  }
  const isUtf8 = encoding === 'utf-8' || encoding === 'utf8';
  if (!isUtf8 && encoding !== 'utf-16le' && encoding !== 'utf16le') throw unknownEncoding(encoding, subject);
  if (!(text as string & { isWellFormed(): boolean }).isWellFormed()) {
    throw unencodable(`the text holds a lone surrogate, which ${encoding} cannot write`, subject);
  }
  return Buffer.from(text, isUtf8 ? 'utf8' : 'utf16le');
}

/** @throws ContentError which tells the offset of the first byte that is not of the encoding */
export function decodeText(bytes: Buffer, encoding: TextEncoding, subject: ErrorSubject): string {
  const last = LAST[encoding];
  if (last !== undefined) {
    const at = bytes.findIndex((byte) => byte > last);
    if (at >= 0) throw undecodable(at, encoding, subject);
    return bytes.toString('latin1');
  }
  const isUtf8 = encoding === 'utf-8' || encoding === 'utf8';
  if (!isUtf8 && encoding !== 'utf-16le' && encoding !== 'utf16le') throw unknownEncoding(encoding, subject);
  try {
    return new TextDecoder(isUtf8 ? 'utf-8' : 'utf-16le', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    const form = isUtf8 ? 'utf8' : 'utf16le';
    const again = Buffer.from(bytes.toString(form), form);
    const at = again.findIndex((byte, index) => byte !== bytes[index]);
    throw undecodable(at < 0 ? again.length : at, encoding, subject);
  }
}

/** JSON text with a line end, checked against the schema as a reader of the file will see it. */
export async function toJsonText(
  data: unknown,
  indent: number | string,
  schema: JsonSchema | undefined,
  subject: ErrorSubject,
): Promise<string> {
  let text: string | undefined;
  try {
    text = JSON.stringify(data, undefined, indent);
  } catch (error) {
    throw unencodable(`no JSON can be made of it: ${(error as Error).message}`, subject, error);
  }
  if (text === undefined) throw unencodable(`no JSON can be made of ${typeof data}`, subject);
  if (schema !== undefined) await requireValid(JSON.parse(text), schema, subject);
  return `${text}\n`;
}

/** YAML text, checked likewise. */
export async function toYamlText(
  data: unknown,
  schema: JsonSchema | undefined,
  subject: ErrorSubject,
): Promise<string> {
  const yaml = await import('yaml');
  let text: string;
  try {
    text = yaml.stringify(data);
  } catch (error) {
    throw unencodable(`no YAML can be made of it: ${(error as Error).message}`, subject, error);
  }
  if (typeof text !== 'string') throw unencodable(`no YAML can be made of ${typeof data}`, subject);
  if (schema !== undefined) await requireValid(yaml.parse(text), schema, subject);
  return text;
}

/** @throws ContentError for text that is not JSON */
export function parseJson(text: string, subject: ErrorSubject): unknown {
  try {
    return JSON.parse(text.replace(/^\ufeff/, ''));
  } catch (error) {
    throw unencodable(`the content is not JSON: ${(error as Error).message}`, subject, error);
  }
}

/** @throws ContentError for text that is not one YAML document */
export async function parseYaml(text: string, subject: ErrorSubject): Promise<unknown> {
  const yaml = await import('yaml');
  try {
    return yaml.parse(text);
  } catch (error) {
    throw unencodable(`the content is not YAML: ${(error as Error).message}`, subject, error);
  }
}

function unencodable(why: string, subject: ErrorSubject, cause?: unknown): ContentError {
  return operationError(ContentError, 'ERR_DIRFD_INVALID_CONTENT', why, subject, cause, []);
}

function undecodable(at: number, encoding: string, subject: ErrorSubject): ContentError {
  return unencodable(`the content is not ${encoding}: byte ${at} does not belong there`, subject);
}

function unknownEncoding(encoding: unknown, subject: ErrorSubject) {
  const why = `unknown encoding '${String(encoding)}'; it is one of utf-8, utf-16le, latin1, ascii`;
  return ownError('ERR_DIRFD_INVALID_ARGUMENT', why, subject);
}
