/**
 * One running walk on this side of the boundary: takes batches as they arrive, answers the walk's questions at once, and keeps the batches
 * until the consumer asks.
 *
 *   threads ── batch ─▶ receive ── filter, answer ─▶ arrived ── take() ─▶ consumer ── acknowledge() ─▶ threads
 *
 * Native code holds a session only weakly while nobody waits for it: a walk that was forgotten half-way is garbage, and its collection ends
 * the threads. While somebody waits, the session is held, and the event loop too.
 */

import { INTERNAL } from '../dirfd/fd.js';
import { type ErrorSubject, toFsError } from '../errors.js';
import { native } from '../native/load.js';
import type { NativeWalk, NativeWalkOptions, NativeWalkStatistics } from '../native/surface.js';
import { WalkBatch, type WalkContext } from './batch.js';
import type { BatchFilter } from './filter.js';

/** Sessions that somebody waits for. */
const awaited = new Set<Session>();

export class Session {
  readonly #walk: NativeWalk;
  readonly #context: WalkContext;
  readonly #filter: BatchFilter | undefined;
  readonly #fail: (reason: unknown) => void;
  #arrived: WalkBatch[] = [];
  #ended = false;
  /** What arrives now is for nobody: no filter is asked any more. */
  #dropping = false;
  #change: Promise<void> | undefined;
  #wake: (() => void) | undefined;

  /**
   * Starts the threads.
   *
   * @param fail called, at most once, with what the filter threw
   */
  constructor(
    context: WalkContext,
    options: NativeWalkOptions,
    filter: BatchFilter | undefined,
    fail: (reason: unknown) => void,
    subject: ErrorSubject,
  ) {
    this.#context = context;
    this.#filter = filter;
    this.#fail = fail;
    const { handle, hold } = context.root[INTERNAL];
    hold(subject)(); // refuses a closed root; the walk shares the descriptor from here on
    try {
      this.#walk = new native.Walk(handle, options, receiverOf(new WeakRef(this)));
    } catch (thrown) {
      throw toFsError(thrown, native.callNames, subject);
    }
  }

  /** True when the threads, and every descriptor of theirs, are gone. */
  get ended(): boolean {
    return this.#ended;
  }
  get statistics(): NativeWalkStatistics {
    return this.#walk.statistics();
  }

  /** The next batch that has arrived. */
  take(): WalkBatch | undefined {
    return this.#arrived.shift();
  }

  /** The consumer is done with a batch: as much may be made anew. */
  acknowledge(batch: WalkBatch): void {
    this.#walk.acknowledge(batch.bytes.length);
  }

  /** Resolves when a batch has arrived, the walk has ended, or somebody woke those who wait. */
  changed(): Promise<void> {
    if (this.#arrived.length > 0 || this.#ended) return Promise.resolve();
    this.#change ??= new Promise((resolve) => {
      this.#wake = resolve;
      awaited.add(this);
      this.#walk.hold(true);
    });
    return this.#change;
  }

  wake(): void {
    if (this.#wake === undefined) return;
    this.#wake();
    this.#wake = undefined;
    this.#change = undefined;
    awaited.delete(this);
    this.#walk.hold(false);
  }

  /** Stops the threads and waits for them. */
  async end(): Promise<void> {
    this.#drop();
    while (!this.#ended) await this.changed();
  }

  /** @internal */
  receive(bytes: Buffer | undefined, question: number): void {
    if (bytes === undefined) {
      this.#ended = true;
    } else {
      if (this.#dropping) return;
      const batch = new WalkBatch(bytes, this.#context);
      if (this.#filter && !this.#choose(batch, question, this.#filter)) {
        this.acknowledge(batch);
        return;
      }
      this.#arrived.push(batch);
    }
    this.wake();
  }

  #drop(): void {
    this.#dropping = true;
    this.#arrived = [];
    this.#walk.cancel();
  }

  /** Answers; true if anything of the batch is left for the consumer. */
  #choose(batch: WalkBatch, question: number, filter: BatchFilter): boolean {
    try {
      const { chosen, entered, count } = filter(batch);
      batch.chosen = chosen;
      if (question !== 0) this.#walk.answer(question, entered);
      return count > 0;
    } catch (error) {
      // What the caller's filter threw must not surface in a native callback.
      this.#drop();
      this.#fail(error);
      return false;
    }
  }
}

/** Apart from the constructor, so that the function which native code holds has nothing else in its scope. */
function receiverOf(session: WeakRef<Session>): (bytes: Buffer | undefined, question: number) => void {
  return (bytes, question) => session.deref()?.receive(bytes, question);
}
