/**
 * Content on its way to a file. As long as it is small it waits in memory, so that a small file costs one native call; what grows beyond that
 * goes on into a draft in the file's directory, which has no name or one that the next writer removes (native/ops/draft.h).
 */

import { FileFd } from '../dirfd/file-fd.js';
import { native } from '../native/load.js';
import { FileSizeError, operationError } from '../operation-errors.js';
import { retrying, writeFailure } from './failures.js';
import { type ReplaceHow, toNative } from './options.js';
import type { Content } from './replace.js';
import { type HeldTarget, onDirectory } from './target.js';

/** Bytes that may wait in memory. */
const SMALL = 1024 * 1024;

export class StagedContent implements AsyncDisposable {
  readonly #target: () => Promise<HeldTarget>;
  readonly #how: ReplaceHow;
  readonly #signal: AbortSignal | undefined;
  #waiting: Uint8Array[] = [];
  #bytes = 0;
  #draft: FileFd | undefined;

  /** @param target the file's directory and its one name there, asked for when a draft is needed */
  constructor(target: () => Promise<HeldTarget>, how: ReplaceHow, signal: AbortSignal | undefined) {
    this.#target = target;
    this.#how = how;
    this.#signal = signal;
  }

  /** In all, so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** @throws FileSizeError before a byte too many is written */
  async add(chunk: Uint8Array): Promise<void> {
    const { maxSize } = this.#how;
    this.#signal?.throwIfAborted();
    if (this.#bytes + chunk.length > maxSize) {
      const { subject } = await this.#target();
      throw operationError(
        FileSizeError,
        'ERR_DIRFD_TOO_LARGE',
        `more than ${maxSize} bytes`,
        subject,
        undefined,
        maxSize,
      );
    }
    this.#bytes += chunk.length;
    if (!this.#draft && this.#bytes <= SMALL) {
      // A copy: the caller may use its buffer again.
      this.#waiting.push(Uint8Array.prototype.slice.call(chunk));
      return;
    }
    const draft = await this.draft();
    await this.#write(draft, chunk);
  }

  /** The draft with all that has been added; made if there is none. */
  async draft(): Promise<FileFd> {
    if (this.#draft) return this.#draft;
    const { directory, path, subject } = await this.#target();
    const options = toNative(this.#how, undefined, '');
    const handle = await retrying(this.#how, this.#signal, () =>
      onDirectory(directory, subject, (root) => native.openDraft(root, path, ...options)),
    ).catch((error) => {
      throw writeFailure(error, subject);
    });
    this.#draft = FileFd.adopt(handle, directory.path, '(draft)');
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const chunk of waiting) await this.#write(this.#draft, chunk);
    return this.#draft;
  }

  /** What is to be given the name. */
  content(): Content {
    if (this.#draft) return { draft: this.#draft, bytes: this.#bytes };
    return this.#waiting.length === 1 ? (this.#waiting[0] as Uint8Array) : Buffer.concat(this.#waiting);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#waiting = [];
    await this.#draft?.close();
  }

  async #write(draft: FileFd, chunk: Uint8Array): Promise<void> {
    try {
      await draft.writeFile(chunk, { signal: this.#signal });
    } catch (error) {
      throw writeFailure(error, (await this.#target()).subject);
    }
  }
}
