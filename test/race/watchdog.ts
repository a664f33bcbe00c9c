// Watches for operations that wait, from a thread of its own, so that a verb which blocks the main thread is noticed too.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

/** An operation that takes longer waits for somebody. */
export const patience = 3000;
/** After this the process is killed: what waits cannot be freed. */
export const lastResort = 30_000;

export interface WatchdogData {
  /** When the operation under watch began, in milliseconds of Date.now(); 0 while there is none. */
  readonly since: BigInt64Array;
}

export class Watchdog implements AsyncDisposable {
  readonly #since = new BigInt64Array(new SharedArrayBuffer(8));
  readonly #worker = new Worker(new URL('./watchdog-worker.js', import.meta.url), {
    workerData: { since: this.#since } satisfies WatchdogData,
  });
  #started = 0;

  private constructor() {}

  static async start(): Promise<Watchdog> {
    const watchdog = new Watchdog();
    // Node leaks the descriptor of a module that a terminated worker is about to load.
    await once(watchdog.#worker, 'message');
    watchdog.#worker.unref();
    return watchdog;
  }

  /** Which names may be FIFOs. Waiters are freed by opening them at both ends. */
  guard(fifos: readonly string[]): void {
    this.#worker.postMessage(fifos);
  }

  begin(): void {
    this.#started = performance.now();
    Atomics.store(this.#since, 0, BigInt(Date.now()));
  }

  /** Whether it took so long that it must have waited. */
  end(): boolean {
    Atomics.store(this.#since, 0, 0n);
    return performance.now() - this.#started > patience;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.terminate();
  }
}
