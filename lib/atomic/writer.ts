/** AtomicWriter: content gathered in any number of pieces, which becomes the file by one step, commit(), or not at all. */

import { createHash } from 'node:crypto';
import { observed } from '../audit/observe.js';
import { closeAll } from '../dirfd/close-all.js';
import { type ErrorSubject, ownError } from '../errors.js';
import { DurabilityError, IntegrityError, operationError } from '../operation-errors.js';
import { encodeText, type TextEncoding, toJsonText, toYamlText } from './content.js';
import { interruptible } from './interruptible.js';
import { notClosed } from './let-go.js';
import { type AtomicWriteOptions, type ReplaceHow, toReplaceHow } from './options.js';
import { Progress } from './progress.js';
import { type AtomicWriteResult, replaceContent, sha256Of } from './replace.js';
import { StagedContent } from './staged-content.js';
import { type AtomicTarget, type HeldTarget, holdPinned } from './target.js';

/** Pieces of content: a Readable, a ReadableStream, an async generator, an array, …; strings are written as UTF-8. */
export type Chunks = AsyncIterable<Uint8Array | string> | Iterable<Uint8Array | string>;

/** A piece that is written at once and counted in the progress. */
const PIECE = 1024 * 1024;

/**
 * One file to be replaced. What is written adds up, in the order of the calls; nothing in the file's directory changes before
 * {@link commit}, and without it nothing ever does: a writer that is disposed of, an exception on the way, SIGKILL leave the old file.
 *
 *     await using writer = new AtomicWriter('settings.json');
 *     await writer.writeJson(settings);
 *     await writer.commit();
 */
export class AtomicWriter implements AsyncDisposable {
  readonly #given: AtomicTarget;
  readonly #options: AtomicWriteOptions;
  readonly #how: ReplaceHow;
  readonly #staged: StagedContent;
  readonly #progress: Progress;
  #place: Promise<readonly [HeldTarget, HeldTarget]> | undefined;
  #hash = createHash('sha256');
  /** One call after the other, however they are awaited. */
  #last: Promise<unknown> = Promise.resolve();
  #state: 'open' | 'failed' | 'committed' | 'discarded' = 'open';
  /** Once discarded: a source that has stalled is not waited for. */
  readonly #discarding = new AbortController();
  #isCommitting = false;

  /** Opens nothing yet: the directory is opened by the first call that needs it. */
  constructor(target: AtomicTarget, options: AtomicWriteOptions = {}) {
    this.#given = target;
    this.#options = options;
    this.#how = toReplaceHow(options, { verb: 'write' });
    this.#staged = new StagedContent(async () => (await this.#held())[1], this.#how, options.signal);
    this.#progress = new Progress(options);
  }

  /** A writer whose directory is open already, and held from now on. */
  static async open(target: AtomicTarget, options: AtomicWriteOptions = {}): Promise<AtomicWriter> {
    const writer = new AtomicWriter(target, options);
    await writer.#held();
    return writer;
  }

  /** Bytes written so far. */
  get bytes(): number {
    return this.#staged.bytes;
  }

  /** True once the file is the new one. */
  get committed(): boolean {
    return this.#state === 'committed';
  }

  /** @throws ContentError for what the encoding cannot express */
  writeText(content: string, encoding: TextEncoding = 'utf-8'): Promise<void> {
    return this.#next(async (subject) => this.#add(encodeText(content, encoding, subject)));
  }

  /**
   * JSON with a line end.
   *
   * @param indent spaces, or the text, for each level; 0: one line
   * @throws ContentError for data that is no JSON or does not match the `schema`
   */
  writeJson(data: unknown, indent: number | string = 2): Promise<void> {
    return this.#next(async (subject) =>
      this.#add(Buffer.from(await toJsonText(data, indent, this.#options.schema, subject))),
    );
  }

  /** @throws ContentError for data that is no YAML or does not match the `schema` */
  writeYaml(data: unknown): Promise<void> {
    return this.#next(async (subject) => this.#add(Buffer.from(await toYamlText(data, this.#options.schema, subject))));
  }

  writeBytes(content: Uint8Array): Promise<void> {
    return this.#next(async (subject) => {
      if (!(content instanceof Uint8Array)) throw invalid('the content must be a Uint8Array', subject);
      await this.#add(content);
    });
  }

  /** All that a stream gives, never more of it in memory than a piece. An abort does not wait for its next one. @returns bytes */
  writeStream(readable: Chunks | ReadableStream<Uint8Array | string>): Promise<number> {
    return this.writeChunks(readable as Chunks);
  }

  /** Each piece in turn. @returns bytes */
  async writeChunks(chunks: Chunks): Promise<number> {
    return this.#next(async (subject) => {
      const before = this.bytes;
      if (!isIterable(chunks)) throw invalid('the chunks must be a stream or an iterable', subject);
      for await (const chunk of interruptible(chunks, [this.#options.signal, this.#discarding.signal])) {
        const bytes = typeof chunk === 'string' ? encodeText(chunk, 'utf-8', subject) : chunk;
        if (!(bytes instanceof Uint8Array)) throw invalid('a chunk must be a string or a Uint8Array', subject);
        await this.#add(bytes);
      }
      return this.bytes - before;
    });
  }

  /**
   * Makes the content the file, in one step. After an error the old file stands, but for a {@link DurabilityError}, which says that the new one
   * does and that a crash might undo it. Once begun it is not interrupted by the signal: its outcome is certain.
   *
   * @throws AtomicWriteError, its code the system call's: ENOSPC, EEXIST, …
   * @throws ConflictError the file is not the one of `ifUnchanged`
   * @throws PathError a symlink, directory or special file is in the way
   * @throws IntegrityError `verify` has read something else than was written
   */
  commit(): Promise<AtomicWriteResult> {
    this.#isCommitting = true;
    return this.#next(async (subject) => {
      const facts = { operation: 'write', directory: subject.directory, path: textOf(subject.path) };
      const result = await observed(facts, this.#options, async (note) => {
        const sha256 = this.#how.verify ? await this.#verified(subject) : undefined;
        const outcome = await this.#replace();
        // Whatever becomes of the record.
        this.#state = 'committed';
        const { bytes, replaced, backup } = outcome;
        note({ bytes, replaced, ...(backup ? { backup } : {}), ...(sha256 ? { sha256 } : {}) });
        return { ...outcome, ...(sha256 ? { sha256 } : {}) };
      });
      await this.#release().catch((error: unknown) => {
        throw notClosed(subject, error);
      });
      return result;
    });
  }

  /** Forgets what was written, and ends what is being written. After {@link commit} it does nothing. */
  async discard(): Promise<void> {
    if (!this.#isCommitting) {
      this.#discarding.abort(ownError('ERR_DIRFD_CLOSED', 'this writer is discarded', { verb: 'write' }));
    }
    await this.#last.catch(() => {});
    // Otherwise that is done, and told.
    if (this.#state !== 'open') return;
    this.#state = 'discarded';
    await this.#release();
  }

  /** {@link discard}, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.discard();
  }

  /** The caller's target, and the one name in the file's own directory. */
  #held(): Promise<readonly [HeldTarget, HeldTarget]> {
    this.#place ??= holdPinned(this.#given, 'write', this.#how.symlinks === 'follow-beneath', this.#options, this.#how);
    return this.#place;
  }

  async #replace() {
    const [, place] = await this.#held();
    try {
      return await replaceContent(place, this.#staged.content(), this.#how, this.#options.signal);
    } catch (error) {
      if (error instanceof DurabilityError) this.#state = 'committed';
      throw error;
    }
  }

  /** Reads the draft back, as the kernel has it, and compares. */
  async #verified(subject: ErrorSubject): Promise<string> {
    const draft = await this.#staged.draft();
    if (this.#how.durability !== 'none') await draft.sync();
    const expected = this.#hash.digest('hex');
    const actual = await sha256Of(draft);
    if (actual === expected) return actual;
    const why = 'what was read back is not what was written';
    const hashes = { expected, actual };
    throw operationError(IntegrityError, 'ERR_DIRFD_INTEGRITY', why, subject, undefined, hashes);
  }

  async #add(content: Uint8Array): Promise<void> {
    for (let at = 0; at < content.length || at === 0; at += PIECE) {
      const piece = content.length <= PIECE ? content : content.subarray(at, at + PIECE);
      await this.#staged.add(piece);
      if (this.#how.verify) this.#hash.update(piece);
      this.#progress.tell(this.bytes);
    }
  }

  /** Runs `act` when the calls before it have ended. A failure is final: what was written is not the whole any more. */
  #next<T>(act: (subject: ErrorSubject) => Promise<T>): Promise<T> {
    const mine = this.#last.then(async () => {
      const given: ErrorSubject = { verb: 'write' };
      if (this.#state !== 'open') {
        const why = this.#state === 'failed' ? 'a call before this one failed' : `this writer is ${this.#state}`;
        throw ownError('ERR_DIRFD_CLOSED', why, given);
      }
      try {
        this.#options.signal?.throwIfAborted();
        return await act((await this.#held())[1].subject);
      } catch (error) {
        if (!this.committed) this.#state = 'failed';
        await this.#release().catch(() => {});
        throw error;
      }
    });
    this.#last = mine.catch(() => {});
    return mine;
  }

  async #release(): Promise<void> {
    this.#progress.end();
    const place = await this.#place?.catch(() => undefined);
    await closeAll([this.#staged, ...(place ?? [])]);
  }
}

function isIterable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && (Symbol.asyncIterator in value || Symbol.iterator in value);
}

function textOf(path: string | Uint8Array | undefined): string | undefined {
  return path === undefined || typeof path === 'string' ? path : Buffer.from(path).toString('utf8');
}

function invalid(why: string, subject: ErrorSubject) {
  return ownError('ERR_DIRFD_INVALID_ARGUMENT', why, subject);
}
