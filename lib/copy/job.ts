/** CopyJob: a running copy. Await it for the report, iterate it for events, read its progress, abort it. */

import { native } from '../native/load.js';
import type { NativeJob } from '../native/surface.js';
import { type CopyEvent, EventQueue } from './events.js';
import { type CopyOptions, type Settled, settle } from './options.js';
import { type CopyReport, ReportBuilder } from './report.js';
import { labelOf, openRoots, type Roots, type TreeRoot } from './roots.js';
import { TreeCopy } from './tree-copy.js';

export interface CopyProgress {
  /** Looked at so far, of every kind. */
  readonly entries: number;
  /** Regular files copied. */
  readonly files: number;
  /** Of content, those of files in progress included. */
  readonly bytes: number;
  readonly milliseconds: number;
  /** Bytes a second since the start. */
  readonly rate: number;
}

export class CopyJob implements PromiseLike<CopyReport>, AsyncIterable<CopyEvent>, AsyncDisposable {
  readonly #job: NativeJob = native.newJob();
  readonly #started = performance.now();
  readonly #abort = new AbortController();
  readonly #report: ReportBuilder;
  readonly #outcome: Promise<CopyReport>;
  #events: EventQueue | undefined;

  /** @internal */
  constructor(source: TreeRoot, destination: TreeRoot, options: CopyOptions) {
    const subject = { verb: 'copy', path: labelOf(source), dest: labelOf(destination) };
    const signals = [this.#abort.signal, ...(options.signal ? [options.signal] : [])];
    const settled = { ...settle(options, subject), signal: AbortSignal.any(signals) };
    this.#report = new ReportBuilder(labelOf(source), labelOf(destination));
    this.#outcome = this.#run(source, destination, settled);
    // An iterator hears of the failure too; a job that is only iterated must not fail a second time as an unhandled rejection.
    this.#outcome.catch(() => {}).finally(() => this.#events?.end());
  }

  /** Counters that pool threads keep; cheap to read at any time. */
  get progress(): CopyProgress {
    const counters = native.jobProgress(this.#job);
    const milliseconds = performance.now() - this.#started;
    return { ...counters, milliseconds, rate: milliseconds > 0 ? (counters.bytes / milliseconds) * 1000 : 0 };
  }

  /** What has been done so far, also after a failure. */
  get report(): CopyReport {
    return this.#report.report(this.progress.bytes);
  }

  /** Stops within a moment; the promise rejects with the reason. */
  abort(reason?: unknown): void {
    this.#abort.abort(reason);
  }

  // biome-ignore lint/suspicious/noThenProperty: a job is awaited for its report
  then<A = CopyReport, B = never>(
    onDone?: ((report: CopyReport) => A | PromiseLike<A>) | null,
    onFailed?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#outcome.then(onDone, onFailed);
  }

  catch<B = never>(onFailed?: ((reason: unknown) => B | PromiseLike<B>) | null): Promise<CopyReport | B> {
    return this.#outcome.catch(onFailed);
  }

  finally(onSettled?: (() => void) | null): Promise<CopyReport> {
    return this.#outcome.finally(onSettled);
  }

  /** Events from now on; throws at the end what the job rejects with. */
  async *[Symbol.asyncIterator](): AsyncGenerator<CopyEvent, void, undefined> {
    this.#events ??= new EventQueue();
    yield* this.#events.drain();
    await this.#outcome;
  }

  /** Aborts a job that still runs, and waits until it holds nothing. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.abort();
    await this.#outcome.catch(() => {});
  }

  async #copyTree(roots: Roots, options: Settled): Promise<void> {
    const copy = new TreeCopy(roots, options, this.#job, this.#report, (event) => this.#events?.push(event));
    try {
      const { single } = roots;
      if (single) await copy.runSingle(single.sourceName, single.destinationName, single.present);
      else await copy.run();
    } finally {
      copy.end();
    }
  }

  async #run(source: TreeRoot, destination: TreeRoot, options: Settled): Promise<CopyReport> {
    const { signal } = options;
    // Whoever wants events gets the time to ask for them.
    await Promise.resolve();
    signal?.throwIfAborted();
    const cancel = (): void => native.cancelJob(this.#job);
    signal?.addEventListener('abort', cancel, { once: true });
    try {
      const roots = await openRoots(source, destination, options);
      try {
        await this.#copyTree(roots, options);
        signal?.throwIfAborted();
        if (options.fsync !== 'none' && !options.dryRun) await roots.destination?.syncFileSystem();
      } finally {
        await roots.release();
      }
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    } finally {
      signal?.removeEventListener('abort', cancel);
    }
    return this.report;
  }
}

/**
 * Makes DST a copy of SRC, with all metadata: modes, owner, nanosecond times, xattrs, ACLs, capabilities, hard links, symlinks, holes, FIFOs,
 * sockets and devices. Nothing is followed, nothing blocks, no path outside of the two roots is touched. What cannot be kept is named in the
 * report. SRC may be a single file; DST is then the file that becomes its copy.
 *
 * @throws FsError the first failure with `onError: 'stop'`; ERR_DIRFD_INVALID_ARGUMENT where DST lies inside SRC
 */
export function copyTree(source: TreeRoot, destination: TreeRoot, options: CopyOptions = {}): CopyJob {
  return new CopyJob(source, destination, options);
}
