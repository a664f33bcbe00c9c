/**
 * The life of one walk: opens what must be opened, hands out batch after batch, deals with errors, and releases all, once.
 *
 *   new ── first nextBatch() ─▶ opening ─▶ running ── end, close(), error, abort ─▶ closing ── threads joined ─▶ closed
 */

import { DirectoryFd } from '../dirfd/directory-fd.js';
import type { ErrorSubject } from '../errors.js';
import { EVENT } from '../native/layout.js';
import type { NativeWalkOptions } from '../native/surface.js';
import type { WalkBatch, WalkContext } from './batch.js';
import type { BatchFilter } from './filter.js';
import type { WalkOptions, WalkStatistics } from './options.js';
import { Session } from './session.js';

/** The root as the caller gave it. */
export type WalkRoot = DirectoryFd | string | Uint8Array | URL;

export interface RunOptions {
  readonly native: NativeWalkOptions;
  readonly buffers: boolean;
  readonly onError: NonNullable<WalkOptions['onError']>;
  readonly signal: AbortSignal | undefined;
  readonly createFilter: (() => BatchFilter) | undefined;
  readonly subject: ErrorSubject;
}

const NOTHING: WalkStatistics = { entries: 0, directories: 0, errors: 0, vanished: 0, reopened: 0, threads: 0 };

export class Run {
  readonly #root: WalkRoot;
  readonly #options: RunOptions;
  #opening: Promise<Session> | undefined;
  #session: Session | undefined;
  #ownRoot: DirectoryFd | undefined;
  #current: WalkBatch | undefined;
  #closing: Promise<void> | undefined;
  #failure: { readonly reason: unknown } | undefined;
  /** Whether the batch in the consumer's hands is no longer to be handed on. */
  stopped = false;
  delivered = 0;

  constructor(root: WalkRoot, options: RunOptions) {
    this.#root = root;
    this.#options = options;
  }

  get statistics(): WalkStatistics {
    return this.#session?.statistics ?? NOTHING;
  }

  /** The next batch; the one before is given back to the threads as room. Undefined at the end, when everything has been released. */
  async nextBatch(): Promise<WalkBatch | undefined> {
    try {
      while (!this.#closing) {
        if (this.#failure) throw this.#failure.reason;
        const session = await (this.#opening ??= this.#open());
        if (this.#current) session.acknowledge(this.#current);
        this.#current = this.stopped ? undefined : session.take();
        if (this.#current) return this.#current;
        if (session.ended && !this.#failure) await this.close();
        else if (!this.stopped) await session.changed();
      }
      await this.#closing;
      return undefined;
    } catch (error) {
      return await this.fail(error);
    }
  }

  /** Whether a record is for the consumer. Errors are dealt with here: this is where the policy `throw` throws. */
  accepts(batch: WalkBatch, index: number): boolean {
    if (batch.chosen !== undefined && batch.chosen[index] === 0) return false;
    switch (batch.event(index)) {
      case EVENT.entry:
      case EVENT.leave:
        return true;
      case EVENT.error:
        return this.#acceptsError(batch, index);
      default:
        return false;
    }
  }

  /** Releases everything, then throws. */
  async fail(error: unknown): Promise<never> {
    await this.close();
    throw error;
  }

  close(): Promise<void> {
    this.stopped = true;
    this.#closing ??= this.#release();
    return this.#closing;
  }

  get closing(): boolean {
    return this.#closing !== undefined;
  }

  async #open(): Promise<Session> {
    const { signal, native, buffers, createFilter, subject } = this.#options;
    signal?.throwIfAborted();
    if (!(this.#root instanceof DirectoryFd)) this.#ownRoot = await DirectoryFd.open(this.#root);
    signal?.throwIfAborted();
    const root = this.#ownRoot ?? (this.#root as DirectoryFd);
    const context: WalkContext = { root, follow: native.follow, buffers };
    this.#session = new Session(context, native, createFilter?.(), this.#stop, subject);
    signal?.addEventListener('abort', this.#onAbort, { once: true });
    return this.#session;
  }

  /** From outside the consumer's calls: the next of them fails with the reason. */
  readonly #stop = (reason: unknown): void => {
    this.#failure ??= { reason };
    this.stopped = true;
    this.#session?.wake();
  };
  readonly #onAbort = (): void => this.#stop(this.#options.signal?.reason);

  async #release(): Promise<void> {
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    // One that is only being opened must be there before it can be ended. Why it failed, if it did, is told to whoever asked for it.
    await this.#opening?.catch(() => undefined);
    await this.#session?.end();
    await this.#ownRoot?.close();
  }

  #acceptsError(batch: WalkBatch, index: number): boolean {
    const { onError } = this.#options;
    if (onError === 'report') return true;
    const error = batch.error(index);
    if (onError === 'throw' || error === undefined) throw error;
    onError(error);
    return false;
  }
}
