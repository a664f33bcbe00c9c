/** Whole files in one call. */

import { observed } from '../audit/observe.js';
import { DirectoryFd } from '../dirfd/directory-fd.js';
import type { RelativePath } from '../dirfd/path.js';
import { ownError } from '../errors.js';
import { FileSizeError, operationError } from '../operation-errors.js';
import { encodeText, type TextEncoding, toJsonText, toYamlText } from './content.js';
import { lettingGo } from './let-go.js';
import { type AtomicWriteOptions, type ReplaceHow, toReplaceHow } from './options.js';
import { type AtomicWriteResult, replaceContent } from './replace.js';
import { type AtomicTarget, type HeldTarget, holdPatiently } from './target.js';
import { AtomicWriter } from './writer.js';

/** Text, and in which encoding it is written. */
export interface WriteTextOptions extends AtomicWriteOptions {
  /** Default `'utf-8'`. */
  readonly encoding?: TextEncoding | undefined;
}

/** JSON, and how it is laid out. */
export interface WriteJsonOptions extends AtomicWriteOptions {
  /** Spaces, or the text, for each level; 0: one line. Default 2. */
  readonly indent?: number | string | undefined;
}

/** A string is written as UTF-8. The bytes must be left alone until the promise settles. */
export async function writeFileAtomic(
  directory: DirectoryFd,
  path: RelativePath,
  data: string | Uint8Array,
  options: AtomicWriteOptions = {},
): Promise<AtomicWriteResult> {
  if (!(directory instanceof DirectoryFd)) {
    throw ownError('ERR_DIRFD_INVALID_ARGUMENT', 'writeFileAtomic takes a DirectoryFd and a path', { verb: 'write' });
  }
  return write({ directory, path }, options, (held) =>
    typeof data === 'string' ? encodeText(data, 'utf-8', held.subject) : data,
  );
}

/** Replaces a file by text. See {@link AtomicWriter.writeText} and {@link AtomicWriter.commit} for errors. */
export async function writeText(
  target: AtomicTarget,
  content: string,
  options: WriteTextOptions = {},
): Promise<AtomicWriteResult> {
  return write(target, options, ({ subject }) => encodeText(content, options.encoding ?? 'utf-8', subject));
}

/** Replaces a file by JSON with a line end. See {@link AtomicWriter.writeJson}. */
export async function writeJson(
  target: AtomicTarget,
  data: unknown,
  options: WriteJsonOptions = {},
): Promise<AtomicWriteResult> {
  return write(target, options, async ({ subject }) =>
    Buffer.from(await toJsonText(data, options.indent ?? 2, options.schema, subject)),
  );
}

/** Replaces a file by YAML. See {@link AtomicWriter.writeYaml}. */
export async function writeYaml(
  target: AtomicTarget,
  data: unknown,
  options: AtomicWriteOptions = {},
): Promise<AtomicWriteResult> {
  return write(target, options, async ({ subject }) => Buffer.from(await toYamlText(data, options.schema, subject)));
}

/** Replaces a file by bytes, which must be left alone until the promise settles. */
export async function writeBytes(
  target: AtomicTarget,
  content: Uint8Array,
  options: AtomicWriteOptions = {},
): Promise<AtomicWriteResult> {
  return write(target, options, () => content);
}

async function write(
  target: AtomicTarget,
  options: AtomicWriteOptions,
  make: (held: HeldTarget) => Uint8Array | Promise<Uint8Array>,
): Promise<AtomicWriteResult> {
  const how = toReplaceHow(options, { verb: 'write' });
  options.signal?.throwIfAborted();
  const held = await holdPatiently(target, 'write', options, how);
  return lettingGo([held], held.subject, async () => writeHeld(held, await make(held), options, how));
}

/** Content that is whole in memory needs no draft of its own and no pinned directory: it is one native call, where no option asks for more. */
async function writeHeld(
  held: HeldTarget,
  content: Uint8Array,
  options: AtomicWriteOptions,
  how: ReplaceHow,
): Promise<AtomicWriteResult> {
  if (!(content instanceof Uint8Array)) {
    throw ownError('ERR_DIRFD_INVALID_ARGUMENT', 'the content must be a string or a Uint8Array', held.subject);
  }
  if (content.length > how.maxSize) {
    const why = `${content.length} bytes are more than ${how.maxSize}`;
    throw operationError(FileSizeError, 'ERR_DIRFD_TOO_LARGE', why, held.subject, undefined, how.maxSize);
  }
  if (
    how.verify ||
    how.backup ||
    how.symlinks === 'follow-beneath' ||
    how.expected ||
    options.progress ||
    options.showProgress
  ) {
    await using writer = new AtomicWriter({ directory: held.directory, path: held.path }, options);
    await writer.writeBytes(content);
    return await writer.commit();
  }
  const { directory, path } = held.subject;
  const shown = typeof path === 'string' || path === undefined ? path : Buffer.from(path).toString('utf8');
  return await observed({ operation: 'write', directory, path: shown }, options, async (note) => {
    const outcome = await replaceContent(held, content, how, options.signal);
    note({ bytes: outcome.bytes, replaced: outcome.replaced });
    return outcome;
  });
}
