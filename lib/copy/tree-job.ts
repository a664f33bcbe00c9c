/** TreeJob: work on whole trees that runs. Await it for the report, iterate it for events, read its progress, abort it. */

import { native } from '../native/load.js';
import type { NativeJob } from '../native/surface.js';
import { EventQueue } from './events.js';

export interface TreeProgress {
  /** Done with, of every kind, each once: at the end all that lie below the root and take part, copied or not. */
  readonly entries: number;
  /** Regular files copied. */
  readonly files: number;
  /** Of content that was copied or read, those of files in progress included. */
  readonly bytes: number;
  /** Of content that needed no copying, because it was there already, and in a dry run of all that takes part; holes left out. */
  readonly unchangedBytes: number;
  readonly milliseconds: number;
  /** Bytes a second since the start. */
  readonly rate: number;
}

/** What the work itself sees of its job. */
export interface Running<Event> {
  readonly job: NativeJob;
  /** Aborts by the caller's signal, abort() or disposal; native work is cancelled already. */
  readonly signal: AbortSignal;
  emit(event: Event): void;
}

export abstract class TreeJob<Report, Event> implements PromiseLike<Report>, AsyncIterable<Event>, AsyncDisposable {
  readonly #job: NativeJob = native.newJob();
  readonly #started = performance.now();
  readonly #abort = new AbortController();
  #outcome: Promise<Report> | undefined;
  #events: EventQueue<Event> | undefined;

  /** @internal Called once, by the constructor of each kind of job. */
  protected begin(signal: AbortSignal | undefined, work: (running: Running<Event>) => Promise<Report>): void {
    const either = signal ? AbortSignal.any([this.#abort.signal, signal]) : this.#abort.signal;
    this.#outcome = this.#run(either, work);
    // An iterator hears of the failure too; a job that is only iterated must not fail a second time as an unhandled rejection.
    this.#outcome.catch(() => {}).finally(() => this.#events?.end());
  }

  /** Counters that pool threads keep; cheap to read at any time. */
  get progress(): TreeProgress {
    const counters = native.jobProgress(this.#job);
    const milliseconds = performance.now() - this.#started;
    return { ...counters, milliseconds, rate: milliseconds > 0 ? (counters.bytes / milliseconds) * 1000 : 0 };
  }

  /** Stops within a moment; the promise rejects with the reason. */
  abort(reason?: unknown): void {
    this.#abort.abort(reason);
  }

  // biome-ignore lint/suspicious/noThenProperty: a job is awaited for its report
  then<A = Report, B = never>(
    onDone?: ((report: Report) => A | PromiseLike<A>) | null,
    onFailed?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#settled().then(onDone, onFailed);
  }

  catch<B = never>(onFailed?: ((reason: unknown) => B | PromiseLike<B>) | null): Promise<Report | B> {
    return this.#settled().catch(onFailed);
  }

  finally(onSettled?: (() => void) | null): Promise<Report> {
    return this.#settled().finally(onSettled);
  }

  /** Events from now on; throws at the end what the job rejects with. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Event, void, undefined> {
    this.#events ??= new EventQueue();
    yield* this.#events.drain();
    await this.#settled();
  }

  /** Aborts a job that still runs, and waits until it holds nothing. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.abort();
    await this.#settled().catch(() => {});
  }

  #settled(): Promise<Report> {
    return this.#outcome as Promise<Report>;
  }

  async #run(signal: AbortSignal, work: (running: Running<Event>) => Promise<Report>): Promise<Report> {
    // Whoever wants events gets the time to ask for them.
    await Promise.resolve();
    const cancel = (): void => native.cancelJob(this.#job);
    signal.addEventListener('abort', cancel, { once: true });
    try {
      signal.throwIfAborted();
      return await work({ job: this.#job, signal, emit: (event) => this.#events?.push(event) });
    } catch (error) {
      // What comes of the abort is not the reason: the reason is.
      signal.throwIfAborted();
      throw error;
    } finally {
      signal.removeEventListener('abort', cancel);
    }
  }
}
