/**
 * The order of a transaction's operations: one after the other, as they were called. What an operation need not finish in its turn runs beside the
 * turns of others, a bounded number at a time; a turn that depends on it waits for all of that first.
 */

import pLimit from 'p-limit';
import { interruptible } from '../atomic/interruptible.js';
import { ownError } from '../errors.js';
import type { Bytes } from './staging.js';

/** Files that are being written at a time: more than threads have use for, so that none of them ever waits for JavaScript. */
const SIDE_BY_SIDE = 16;

export class Turns {
  /** The end of the queue. Never rejects. */
  #last: Promise<unknown> = Promise.resolve();
  readonly #limit = pLimit(SIDE_BY_SIDE);
  /** Never reject. */
  readonly #beside = new Set<Promise<void>>();
  readonly #signal: AbortSignal | undefined;
  readonly #givenUp = new AbortController();
  #failure: { readonly error: unknown } | undefined;

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
  }

  /** The first one: no commit after it. */
  get failure(): { readonly error: unknown } | undefined {
    return this.#failure;
  }

  /** Does a part of an operation, and takes note of its failure. */
  async noting<T>(work: () => Promise<T>): Promise<T> {
    try {
      this.#signal?.throwIfAborted();
      return await work();
    } catch (error) {
      this.#failure ??= { error };
      throw error;
    }
  }

  /** From now on no piece of content is waited for. */
  giveUp(): void {
    this.#givenUp.abort(ownError('ERR_DIRFD_CLOSED', 'this transaction is given up', { verb: 'transaction' }));
  }

  /** The content as it is, but that a source which has stalled keeps nobody waiting after an abort or {@link giveUp}. */
  interruptible(content: Bytes): Bytes {
    if (content instanceof Uint8Array) return content;
    return interruptible(content, [this.#signal, this.#givenUp.signal]);
  }

  /** Runs when all that was called before has had its turn. */
  take<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => {});
    return turn;
  }

  /** Called in a turn, runs beyond its end. */
  beside<T>(work: () => Promise<T>): Promise<T> {
    const running = this.#limit(work);
    const ended: Promise<void> = running.then(
      () => void this.#beside.delete(ended),
      () => void this.#beside.delete(ended),
    );
    this.#beside.add(ended);
    return running;
  }

  /** Called in a turn: resolves when nothing runs beside it, whatever became of that. */
  async alone(): Promise<void> {
    await Promise.all(this.#beside);
  }
}
