/**
 * FileTransaction: many files changed together or not at all.
 *
 *   open ──commit()──▶ committing ──▶ committed
 *     │                    │
 *     └──rollback(), dispose, abort, a failure──▶ rolled back
 *
 * Operations are taken one after the other in the order in which they were called, awaited or not; the content of writes that are not awaited
 * goes to the disk side by side.
 */

import { decodeText, type TextEncoding, toJsonText, toYamlText } from '../atomic/content.js';
import type { JsonSchema } from '../atomic/schema.js';
import { observed } from '../audit/observe.js';
import type { RelativePath } from '../dirfd/path.js';
import { type ErrorSubject, ownError } from '../errors.js';
import { type Change, changesOf } from './changes.js';
import { commit, Unsettled } from './commit.js';
import { compile } from './compile.js';
import { type Content, type ContentType, toBytesOf } from './content.js';
import type { Draft, Located } from './draft.js';
import { checkRetention, pruneTransactions } from './history.js';
import { modeOf } from './mode.js';
import { isId, newId } from './names.js';
import type {
  CommitReport,
  ReplaceOptions,
  TransactionOptions,
  TransactionPath,
  TransactionRoots,
  WriteOptions,
  WriteValueOptions,
} from './options.js';
import { ProgressMeter } from './progress.js';
import { labelOf, locate, type NamedRoots, rootsOf } from './roots.js';
import { begin, end, type Running } from './running.js';
import type { Step } from './steps.js';
import { Turns } from './turns.js';
import { invalid } from './view.js';

/** Many files changed together or not at all. Dispose of it with `await using`: without a commit nothing has happened. */
export class FileTransaction implements AsyncDisposable {
  readonly id: string;
  readonly #roots: NamedRoots;
  readonly #options: TransactionOptions;
  readonly #meter: ProgressMeter;
  #state: 'open' | 'committing' | 'committed' | 'rolled back' = 'open';
  readonly #turns: Turns;
  #isCommitting = false;
  #running: Promise<Running> | undefined;
  readonly #onAbort = () => void this.rollback().catch(() => {});

  /** Nothing is opened before the first operation. `root` is the current directory by default. */
  constructor(options: TransactionOptions & { readonly root?: TransactionRoots | undefined } = {}) {
    const { root = '.', transactionId, showProgress, onProgress, keepUndo, signal } = options;
    this.id = transactionId ?? newId();
    if (!isId(this.id)) {
      const why =
        "a transaction id has letters, digits, dots, underscores and hyphens, at most 100 of them, and is not 'lock'";
      throw invalid(why, { verb: 'begin', path: this.id });
    }
    if (keepUndo && keepUndo !== true) checkRetention(keepUndo, 'begin');
    this.#roots = rootsOf(root);
    this.#options = options;
    this.#turns = new Turns(signal);
    this.#meter = new ProgressMeter(onProgress, showProgress === true);
    signal?.throwIfAborted();
    signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  /**
   * Begins a transaction: opens its roots, and makes the private directories where new files wait.
   *
   * @throws FsError ENOENT, EACCES, EROFS; ValidationError
   */
  static async begin(roots: TransactionRoots, options: TransactionOptions = {}): Promise<FileTransaction> {
    const transaction = new FileTransaction({ ...options, root: roots });
    await transaction.#enqueue(async () => {});
    return transaction;
  }

  get state(): 'open' | 'committing' | 'committed' | 'rolled back' {
    return this.#state;
  }

  /**
   * Makes a file, or replaces one, which keeps its owner, mode, attributes and ACL; its other hard links keep the old content.
   *
   * @throws ContentError for text that the encoding cannot express, a lone surrogate among it
   */
  async write(path: TransactionPath, content: Content, options: WriteOptions = {}): Promise<void> {
    const { encoding = 'utf-8' } = options;
    await this.#write(path, options, (subject) => toBytesOf(content, encoding, subject));
  }
  async writeText(path: TransactionPath, text: string, options: WriteOptions = {}): Promise<void> {
    await this.write(path, text, options);
  }
  /** @throws ContentError for what violates the schema */
  async writeJson(path: TransactionPath, value: unknown, options: WriteValueOptions = {}): Promise<void> {
    const { indent = 2, schema } = options;
    await this.#write(path, options, async (subject) => Buffer.from(await toJsonText(value, indent, schema, subject)));
  }
  /** @throws ContentError for what violates the schema */
  async writeYaml(path: TransactionPath, value: unknown, options: WriteValueOptions = {}): Promise<void> {
    await this.#write(path, options, async (subject) => Buffer.from(await toYamlText(value, options.schema, subject)));
  }

  /** A directory. `recursive` makes missing ones above, and accepts one that is there. Mode: exact, or what the umask leaves of 0o777. */
  async mkdir(
    path: TransactionPath,
    options: { readonly mode?: number | string | undefined; readonly recursive?: boolean | undefined } = {},
  ): Promise<void> {
    const mode = modeOf(options.mode, 'mkdir');
    await this.#turn((draft) => draft.mkdir(this.#at(path), { mode, recursive: options.recursive === true }));
    this.#meter.advance(1);
  }

  /** The target is stored as it is. */
  async symlink(target: RelativePath, path: TransactionPath): Promise<void> {
    await this.#turn((draft) => draft.symlink(target, this.#at(path)));
    this.#meter.advance(1);
  }

  /** A file, or a directory with all that it holds; of a symlink, the link. `force`: a missing one is no failure. */
  async delete(path: TransactionPath, options: { readonly force?: boolean | undefined } = {}): Promise<void> {
    await this.#operation((draft) => draft.delete(this.#at(path), { force: options.force === true }));
  }

  /** Anything, whole trees too. Between roots it is a copy and a delete. */
  async move(from: TransactionPath, to: TransactionPath, options: ReplaceOptions = {}): Promise<void> {
    const replace = options.replace === true;
    await this.#operation((draft) => draft.move(this.#at(from), this.#at(to), { replace }));
  }

  /** A file, a symlink or a tree, as it is at this point of the transaction, with all metadata. */
  async copy(from: TransactionPath, to: TransactionPath, options: ReplaceOptions = {}): Promise<void> {
    const replace = options.replace === true;
    await this.#operation((draft) => draft.copy(this.#at(from), this.#at(to), { replace }));
  }

  /** Of a file or directory, never of what a symlink points to. */
  async chmod(path: TransactionPath, mode: number | string): Promise<void> {
    const bits = modeOf(mode, 'chmod') as number;
    await this.#operation((draft) => draft.chmod(this.#at(path), bits));
  }

  /**
   * What a file holds, with all that this transaction has done so far. If somebody changes the file before the commit, that fails
   * with a ConflictError: what was decided by the content still holds then.
   */
  async read(path: TransactionPath, options: { readonly maxSize?: number | undefined } = {}): Promise<Buffer> {
    return this.#operation((draft) => draft.read(this.#at(path), options.maxSize ?? Number.POSITIVE_INFINITY));
  }
  /** @throws ContentError for bytes that are not of the encoding: written back, the text would not be what was there */
  async readText(path: TransactionPath, encoding: TextEncoding = 'utf-8'): Promise<string> {
    return decodeText(await this.read(path), encoding, { verb: 'read', path: this.#at(path).path });
  }

  /** {@link write} and its kin, not to be awaited: what fails makes `commit()` fail. */
  addWrite(path: TransactionPath, content: unknown, contentType: ContentType = 'text', schema?: JsonSchema): this {
    if (contentType === 'json') return this.#add(this.writeJson(path, content, { schema }));
    if (contentType === 'yaml') return this.#add(this.writeYaml(path, content, { schema }));
    return this.#add(this.write(path, content as Content));
  }
  addCopy(from: TransactionPath, to: TransactionPath, options?: ReplaceOptions): this {
    return this.#add(this.copy(from, to, options));
  }
  addMove(from: TransactionPath, to: TransactionPath, options?: ReplaceOptions): this {
    return this.#add(this.move(from, to, options));
  }
  addDelete(path: TransactionPath): this {
    return this.#add(this.delete(path));
  }

  /** What a commit would do now. */
  async preview(): Promise<Change[]> {
    return this.#enqueue(async ({ draft, participants }) => {
      await this.#turns.alone();
      if (this.#turns.failure) throw this.#turns.failure.error;
      return told(await compile(draft, participants), participants);
    });
  }

  /**
   * Makes all of it true, on the disk, or none.
   *
   * @throws ConflictError if somebody else has changed what this transaction replaces, deletes, moves or has read
   * @throws the failure of the operation that failed first
   * @throws LockTimeoutError
   * @throws StateError if a failure could be neither finished nor taken back; `recover()` goes on from there
   */
  async commit(): Promise<CommitReport> {
    this.#isCommitting = true;
    const directory = labelOf(this.#roots);
    return observed(
      { operation: 'transaction.commit', directory, transaction: this.id },
      this.#options,
      async (note) => {
        const report = await this.#enqueue((running) => this.#commit(running)).catch(async (error) => {
          await this.rollback();
          throw error;
        });
        note({ changes: report.changes.length, bytes: report.bytes });
        return report;
      },
    );
  }

  /** Gives all of it up. Does nothing after a commit. */
  async rollback(): Promise<void> {
    // Behind the operations under way, which have to wait for nobody any more, and behind a commit, which the signal ends by itself.
    if (!this.#isCommitting) this.#turns.giveUp();
    await this.#turns.take(async () => {
      if (this.#state !== 'open') return;
      await this.#turns.alone();
      await this.#close('rolled back', true);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.rollback();
  }

  async #commit({ draft, participants, journal }: Running): Promise<CommitReport> {
    await this.#turns.alone();
    if (this.#turns.failure) {
      await this.#close('rolled back', true);
      throw this.#turns.failure.error;
    }
    this.#state = 'committing';
    const { keepUndo = false, lockTimeout, signal } = this.#options;
    const keeps = keepUndo !== false;
    try {
      const steps = await commit({
        ...{ id: this.id, keepUndo: keeps, draft, participants, journal, lockTimeout, signal },
        onPhase: (phase, total) => this.#meter.phase(phase, total),
        onTaken: (count) => this.#meter.advance(count),
      });
      const report = { id: this.id, changes: told(steps, participants), bytes: this.#meter.bytes };
      // It is done: leavings that cannot be removed now go with the next recovery.
      await this.#tidy(() => this.#close('committed', !keeps || steps.length === 0));
      const root = this.#roots[0]?.[1];
      if (keepUndo && keepUndo !== true && root) await this.#tidy(() => pruneTransactions(root, keepUndo));
      return { ...report, notKept: draft.notKept };
    } catch (error) {
      await this.#tidy(() => this.#close('rolled back', !(error instanceof Unsettled)));
      throw error;
    }
  }

  async #tidy(work: () => Promise<unknown>): Promise<void> {
    await work().catch((error: Error) =>
      process.emitWarning(`transaction ${this.id}: ${error.message}`, 'DirfdWarning'),
    );
  }

  async #close(state: 'committed' | 'rolled back', discards: boolean): Promise<void> {
    this.#state = state;
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    this.#meter.stop();
    const running = await this.#running?.catch(() => undefined);
    if (running) await end(running, discards);
  }

  async #write(
    path: TransactionPath,
    options: WriteOptions,
    content: (subject: ErrorSubject) => Parameters<Draft['write']>[1] | Promise<Buffer>,
  ): Promise<void> {
    const mode = modeOf(options.mode, 'write');
    const { createOnly = false, parents = false } = options;
    const { written } = await this.#turn(async (draft) => {
      const at = this.#at(path);
      const bytes = this.#turns.interruptible(await content({ verb: 'write', path: at.path }));
      const stage = await draft.write(at, bytes, { mode, createOnly, parents }, () => this.#turns.alone());
      return { written: this.#turns.beside(() => this.#turns.noting(stage)) };
    });
    this.#meter.advance(1, await written);
  }

  /** An operation for which all that was written before it must be there. */
  async #operation<T>(work: (draft: Draft) => Promise<T>): Promise<T> {
    const result = await this.#turn(async (draft) => {
      await this.#turns.alone();
      return work(draft);
    });
    this.#meter.advance(1);
    return result;
  }

  async #turn<T>(work: (draft: Draft) => Promise<T>): Promise<T> {
    return this.#enqueue(({ draft }) => this.#turns.noting(() => work(draft)));
  }

  #add(operation: Promise<void>): this {
    operation.catch(() => {}); // commit() tells
    return this;
  }

  async #enqueue<T>(work: (running: Running) => Promise<T>): Promise<T> {
    return this.#turns.take(async () => {
      this.#options.signal?.throwIfAborted();
      if (this.#state !== 'open') {
        throw ownError('ERR_DIRFD_CLOSED', `this transaction is ${this.#state}`, { verb: 'transaction' });
      }
      this.#running ??= this.#turns.noting(() => begin(this.#roots, this.id, this.#options));
      return work(await this.#running);
    });
  }

  #at(path: TransactionPath): Located {
    return locate(path, this.#roots);
  }
}

function told(steps: readonly Step[], participants: Running['participants']): Change[] {
  return changesOf(
    steps,
    participants.map(({ site }) => site.record),
  );
}
