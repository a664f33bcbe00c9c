/**
 * FileTransaction: many files changed together or not at all.
 *
 *   open ──commit()──▶ committing ──▶ committed
 *     │                    │
 *     └──rollback(), dispose, abort, a failure──▶ rolled back
 *
 * Operations are taken one after the other in the order in which they were called, awaited or not.
 */

import { randomBytes } from 'node:crypto';
import { toJsonText, toYamlText } from '../atomic/content.js';
import type { JsonSchema } from '../atomic/schema.js';
import { type ObservedOptions, observed } from '../audit/observe.js';
import type { NotKept } from '../copy/report.js';
import { INTERNAL } from '../dirfd/fd.js';
import { toMode } from '../dirfd/flags.js';
import type { RelativePath } from '../dirfd/path.js';
import { type ErrorSubject, ownError } from '../errors.js';
import { native } from '../native/load.js';
import { StateError } from '../operation-errors.js';
import { type Change, changesOf } from './changes.js';
import { commit } from './commit.js';
import { compile } from './compile.js';
import { type Content, type ContentType, toBytesOf } from './content.js';
import { Draft, type Located } from './draft.js';
import { pruneTransactions, type Retention } from './history.js';
import type { Journal } from './journal.js';
import { Participant } from './participant.js';
import { ProgressMeter, progressBar, type TransactionProgress } from './progress.js';
import { discard } from './recover.js';
import { ID, Site, type TransactionRoot, type WaitOptions } from './site.js';
import { invalid } from './view.js';

/** One directory, or several by names of the caller's choice. */
export type TransactionRoots = TransactionRoot | Readonly<Record<string, TransactionRoot>>;

/** A path in the only root, or in the one of that name. */
export type TransactionPath = RelativePath | { readonly root: string; readonly path: RelativePath };

export interface TransactionOptions extends WaitOptions, ObservedOptions {
  /** Letters, digits, `.`, `_`, `-`; at most 100. Default: the time and a random number. */
  readonly transactionId?: string | undefined;
  /** A bar on standard error, where that is a terminal. Default false. */
  readonly showProgress?: boolean | undefined;
  readonly onProgress?: ((progress: TransactionProgress) => void) | undefined;
  /** Keep what was replaced and deleted, for `undo()`: all of it, or as much as the retention says. Default false. */
  readonly keepUndo?: boolean | Retention | undefined;
}

export interface WriteOptions {
  /** Exact permission bits. Default: those of the file that is replaced, or what the umask leaves of 0o666. */
  readonly mode?: number | string | undefined;
  /** Refuse to replace a file. Default false. */
  readonly createOnly?: boolean | undefined;
  /** Make missing directories above. Default false. */
  readonly parents?: boolean | undefined;
  /** Of text. Default `'utf8'`. */
  readonly encoding?: BufferEncoding | undefined;
}

export interface WriteValueOptions extends WriteOptions {
  /** JSON Schema that the value must satisfy; else a ContentError names the JSON pointer. */
  readonly schema?: JsonSchema | undefined;
  /** Of JSON, in spaces. Default 2. */
  readonly indent?: number | undefined;
}

export interface ReplaceOptions {
  /** Take the place of what has the name already, which must be of the same sort. Default false: a ValidationError. */
  readonly replace?: boolean | undefined;
}

/** What a commit did. */
export interface CommitReport {
  readonly id: string;
  readonly changes: readonly Change[];
  /** Content written, in bytes. */
  readonly bytes: number;
  /** Metadata of copied trees that could not be kept. */
  readonly notKept: readonly NotKept[];
}

interface Running {
  readonly sites: readonly Site[];
  readonly participants: readonly Participant[];
  readonly journal: Journal;
  readonly draft: Draft;
}

/** Many files changed together or not at all. Dispose of it with `await using`: without a commit nothing has happened. */
export class FileTransaction implements AsyncDisposable {
  readonly id: string;
  readonly #roots: readonly (readonly [string, TransactionRoot])[];
  readonly #options: TransactionOptions;
  readonly #meter: ProgressMeter;
  readonly #bar: ReturnType<typeof progressBar> | undefined;
  #state: 'open' | 'committing' | 'committed' | 'rolled back' = 'open';
  /** The end of the queue. Never rejects. */
  #last: Promise<unknown> = Promise.resolve();
  #failure: { readonly error: unknown } | undefined;
  #running: Promise<Running> | undefined;
  readonly #onAbort = () => void this.rollback().catch(() => {});

  /** Nothing is opened before the first operation. `root` is the current directory by default. */
  constructor(options: TransactionOptions & { readonly root?: TransactionRoots | undefined } = {}) {
    const { root = '.', transactionId, showProgress, onProgress, signal } = options;
    this.id = transactionId ?? `${new Date().toISOString().replace(/[:.]/g, '-')}-${randomBytes(6).toString('hex')}`;
    if (!ID.test(this.id)) {
      const why = 'a transaction id has letters, digits, dots, underscores and hyphens, and at most 100 of them';
      throw invalid(why, { verb: 'transaction' });
    }
    this.#roots = rootsOf(root);
    this.#options = options;
    this.#bar = showProgress ? progressBar() : undefined;
    this.#meter = new ProgressMeter((progress) => {
      onProgress?.(progress);
      void this.#bar?.then(({ tell }) => tell(progress));
    });
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

  /** Makes a file, or replaces one, which keeps its owner, mode, attributes and ACL; its other hard links keep the old content. */
  async write(path: TransactionPath, content: Content, options: WriteOptions = {}): Promise<void> {
    const { encoding = 'utf8' } = options;
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
    await this.#operation((draft) => draft.mkdir(this.#at(path), { mode, recursive: options.recursive === true }));
  }

  /** The target is stored as it is. */
  async symlink(target: RelativePath, path: TransactionPath): Promise<void> {
    await this.#operation((draft) => draft.symlink(target, this.#at(path)));
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
  async readText(path: TransactionPath, encoding: BufferEncoding = 'utf8'): Promise<string> {
    return (await this.read(path)).toString(encoding);
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
    return this.#enqueue(async ({ draft, participants, sites }) => {
      if (this.#failure) throw this.#failure.error;
      return changesOf(await compile(draft, participants), recordsOf(sites));
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
    const directory = this.#roots.map(([, root]) => labelOf(root)).join(', ');
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
    // Behind the operations under way, and behind a commit, which the signal ends by itself.
    const before = this.#last;
    const end = before.then(async () => {
      if (this.#state !== 'open') return;
      await this.#close('rolled back', true);
    });
    this.#last = end.catch(() => {});
    await end;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.rollback();
  }

  async #commit({ draft, participants, journal, sites }: Running): Promise<CommitReport> {
    if (this.#failure) {
      await this.#close('rolled back', true);
      throw this.#failure.error;
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
      const report = { id: this.id, changes: changesOf(steps, recordsOf(sites)), bytes: this.#meter.bytes };
      // It is done: leavings that cannot be removed now go with the next recovery.
      await this.#tidy(() => this.#close('committed', !keeps || steps.length === 0));
      const root = this.#roots[0]?.[1];
      if (keepUndo && keepUndo !== true && root) await this.#tidy(() => pruneTransactions(root, keepUndo));
      return { ...report, notKept: draft.notKept };
    } catch (error) {
      await this.#tidy(() => this.#close('rolled back', !(error instanceof StateError)));
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
    void this.#bar?.then(({ stop }) => stop());
    const running = await this.#running?.catch(() => undefined);
    if (!running) return;
    const { sites, participants, journal } = running;
    try {
      if (discards) await discard(sites, this.id);
    } finally {
      await journal[Symbol.asyncDispose]();
      for (const participant of participants) await participant[Symbol.asyncDispose]();
    }
  }

  async #write(
    path: TransactionPath,
    options: WriteOptions,
    content: (subject: ErrorSubject) => Parameters<Draft['write']>[1] | Promise<Buffer>,
  ): Promise<void> {
    const mode = modeOf(options.mode, 'write');
    const { createOnly = false, parents = false } = options;
    await this.#operation(async (draft) => {
      const at = this.#at(path);
      const bytes = await content({ verb: 'write', path: at.path });
      this.#meter.advance(0, await draft.write(at, bytes, { mode, createOnly, parents }));
    });
  }

  async #operation<T>(work: (draft: Draft) => Promise<T>): Promise<T> {
    return this.#enqueue(async ({ draft }) => {
      this.#options.signal?.throwIfAborted();
      try {
        const result = await work(draft);
        this.#meter.advance(1);
        return result;
      } catch (error) {
        this.#failure ??= { error };
        throw error;
      }
    });
  }

  #add(operation: Promise<void>): this {
    operation.catch(() => {}); // commit() tells
    return this;
  }

  async #enqueue<T>(work: (running: Running) => Promise<T>): Promise<T> {
    const turn = this.#last.then(async () => {
      this.#options.signal?.throwIfAborted();
      if (this.#state !== 'open') {
        throw ownError('ERR_DIRFD_CLOSED', `this transaction is ${this.#state}`, { verb: 'transaction' });
      }
      this.#running ??= this.#begin();
      return work(await this.#running);
    });
    this.#last = turn.catch(() => {});
    return turn;
  }

  async #begin(): Promise<Running> {
    const sites: Site[] = [];
    try {
      for (const [name, root] of this.#roots) sites.push((await Site.open(root, { create: true, name })) as Site);
      await refuseOverlap(sites);
      const { keepUndo = false, lockTimeout, signal } = this.#options;
      const options = { keepUndo: keepUndo !== false, lockTimeout, signal };
      const { participants, journal } = await Participant.beginAll(sites, this.id, options);
      return { sites, participants, journal, draft: new Draft(participants) };
    } catch (error) {
      for (const site of sites) await site[Symbol.asyncDispose]();
      this.#failure ??= { error };
      throw error;
    }
  }

  #at(path: TransactionPath): Located {
    const isNamed = typeof path === 'object' && path !== null && !(path instanceof Uint8Array);
    if (!isNamed) {
      if (this.#roots.length === 1) return { root: 0, path };
      throw invalid('there are several roots: name one, as in { root, path }', { verb: 'transaction', path });
    }
    const root = this.#roots.findIndex(([name]) => name === path.root);
    if (root >= 0) return { root, path: path.path };
    throw invalid(`there is no root '${path.root}'`, { verb: 'transaction', path: path.path });
  }
}

function rootsOf(roots: TransactionRoots): (readonly [string, TransactionRoot])[] {
  const isRecord = typeof roots === 'object' && roots !== null && Object.getPrototypeOf(roots) === Object.prototype;
  if (!isRecord) return [['', roots as TransactionRoot]];
  const named = Object.entries(roots as Readonly<Record<string, TransactionRoot>>);
  if (named.length === 0) throw invalid('there is no root', { verb: 'transaction' });
  return named;
}

/** Each name must have one path only. */
async function refuseOverlap(sites: readonly Site[]): Promise<void> {
  for (const a of sites) {
    for (const b of sites) {
      if (a === b || !(await native.isInside(a.root[INTERNAL].handle, b.root[INTERNAL].handle))) continue;
      throw invalid('one of the roots is another one, or lies inside it', { verb: 'transaction', path: a.root.path });
    }
  }
}

function recordsOf(sites: readonly Site[]) {
  return sites.map(({ record }) => record);
}

function labelOf(root: TransactionRoot): string {
  return root instanceof Object && 'path' in root ? String(root.path) : String(root);
}

function modeOf(mode: number | string | undefined, verb: string): number | undefined {
  return mode === undefined ? undefined : toMode(mode, { verb });
}
