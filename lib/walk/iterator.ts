/** The iterators of a walk, written by hand: an async generator costs twice as much an entry. */

import { EntryBatch, type WalkBatch } from './batch.js';
import { Entry } from './entry.js';
import type { Run } from './run.js';

/** While a batch lasts, next() is settled when it returns. */
export class EntryIterator<Name extends string | Buffer> implements AsyncIterableIterator<Entry<Name>> {
  readonly #run: Run;
  #batch: WalkBatch | undefined;
  #index = 0;
  /** Calls that wait for a batch, and the last of them: they are answered in their order. */
  #waiting = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(run: Run) {
    this.#run = run;
  }

  next(): Promise<IteratorResult<Entry<Name>>> {
    if (this.#waiting === 0) {
      try {
        const entry = this.#take();
        if (entry !== undefined) return Promise.resolve({ value: entry, done: false });
      } catch (error) {
        return this.#run.fail(error);
      }
    }
    const result = this.#waiting++ === 0 ? this.#takeLater() : this.#last.then(() => this.#takeLater());
    this.#last = result.catch(() => undefined);
    return result;
  }

  async return(): Promise<IteratorResult<Entry<Name>>> {
    await this.#run.close();
    return { value: undefined, done: true };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#run.close();
  }

  #take(): Entry<Name> | undefined {
    const batch = this.#batch;
    if (batch === undefined) return undefined;
    while (this.#index < batch.length && !this.#run.stopped) {
      const index = this.#index++;
      if ((batch.isPlain && batch.chosen === undefined) || this.#run.accepts(batch, index)) {
        this.#run.delivered++;
        return new Entry<Name>(batch, index);
      }
    }
    this.#batch = undefined;
    return undefined;
  }

  async #takeLater(): Promise<IteratorResult<Entry<Name>>> {
    try {
      for (;;) {
        const entry = this.#take();
        if (entry !== undefined) return { value: entry, done: false };
        this.#batch = await this.#run.nextBatch();
        this.#index = 0;
        if (this.#batch === undefined) return { value: undefined, done: true };
      }
    } catch (error) {
      return await this.#run.fail(error);
    } finally {
      this.#waiting--;
    }
  }
}

export async function* iterateBatches<Name extends string | Buffer>(run: Run): AsyncGenerator<EntryBatch<Name>, void> {
  try {
    for (;;) {
      const batch = await run.nextBatch();
      if (batch === undefined) return;
      const indices: number[] = [];
      for (let index = 0; index < batch.length; index++) {
        if (run.accepts(batch, index)) indices.push(index);
      }
      run.delivered += indices.length;
      if (indices.length > 0) yield new EntryBatch<Name>(batch, indices);
    }
  } finally {
    await run.close();
  }
}
