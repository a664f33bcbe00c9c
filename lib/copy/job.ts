/** copyTree, and the job that it returns. */

import type { DirectoryFd } from '../dirfd/directory-fd.js';
import { INTERNAL } from '../dirfd/fd.js';
import { native } from '../native/load.js';
import type { AtomicTree } from './atomic-tree.js';
import type { CopyEvent } from './events.js';
import { affordable, type CopyOptions, type Settled, settle } from './options.js';
import { type CopyReport, ReportBuilder } from './report.js';
import { labelOf, openRoots, type Roots, type TreeRoot } from './roots.js';
import { TreeCopy } from './tree-copy.js';
import { type Running, TreeJob } from './tree-job.js';

export class CopyJob extends TreeJob<CopyReport, CopyEvent> {
  readonly #report: ReportBuilder;
  /** Whether the number of threads is ours to choose. */
  readonly #isFree: boolean;

  /** @internal */
  constructor(source: TreeRoot, destination: TreeRoot, options: CopyOptions) {
    super();
    this.#isFree = options.concurrency === undefined;
    const settled = settle(options, { verb: 'copy', path: labelOf(source), dest: labelOf(destination) });
    this.#report = new ReportBuilder(labelOf(source), labelOf(destination));
    this.begin(options.signal, (running) => this.#copy(source, destination, settled, running));
  }

  /** What has been done so far, also after a failure. */
  get report(): CopyReport {
    return this.#report.report(this.progress.bytes);
  }

  async #copy(
    source: TreeRoot,
    destination: TreeRoot,
    options: Settled,
    running: Running<CopyEvent>,
  ): Promise<CopyReport> {
    const roots = await openRoots(source, destination, options);
    try {
      await this.#copyBetween(roots, options, running);
      running.signal.throwIfAborted();
      if (roots.atomic) await this.#publish(roots.atomic, options, running);
      else if (options.fsync !== 'none' && !options.dryRun) await roots.destination?.syncFileSystem();
    } catch (error) {
      // What it failed with is what it rejects with; what it leaves behind is told beside that.
      if (roots.atomic) await this.#end(roots.atomic, running);
      throw error;
    } finally {
      await roots.release();
    }
    return this.report;
  }

  async #publish(tree: AtomicTree, options: Settled, running: Running<CopyEvent>): Promise<void> {
    const [first] = this.report.errors;
    if (first) throw first.error;
    await tree.publish(options.fsync !== 'none');
    // The copy is there, whatever becomes of what it has replaced.
    await this.#end(tree, running);
  }

  async #end(tree: AtomicTree, running: Running<CopyEvent>): Promise<void> {
    await tree.end().catch((failure: unknown) => {
      const path = Buffer.alloc(0);
      running.emit(this.#report.fail(this.#report.error(failure, path), path));
    });
  }

  #waiting({ concurrency }: Settled): Pick<Settled, 'concurrency' | 'range'> {
    const threads = this.#isFree ? Math.max(concurrency, affordable(WAITING)) : concurrency;
    return { concurrency: threads, range: WAITING_RANGE };
  }

  async #copyBetween(roots: Roots, options: Settled, running: Running<CopyEvent>): Promise<void> {
    // A handle that crosses no mounts keeps to it here too.
    const oneFileSystem = options.oneFileSystem || !roots.source.crossMounts;
    const served = await servedSides(roots);
    // For a server; or for a disk, whose file system makes many files durable in the time of one.
    const waits = served.source || served.destination || (options.fsync === 'each' && !options.dryRun);
    const how = { ...options, oneFileSystem, served, ...(waits ? this.#waiting(options) : {}) };
    const copy = new TreeCopy(roots, how, this.#report, running);
    try {
      const { single } = roots;
      if (single) await copy.runSingle(single.sourceName, single.destinationName, single.present);
      else await copy.run();
    } finally {
      copy.end();
    }
  }
}

/** Threads that mostly wait; with more, little was gained (docs/engines.md). */
const WAITING = 32;
/** What each of them takes at a time: a wide directory is to keep all of them busy. */
const WAITING_RANGE = 16;

async function servedSides({ source, destination }: Roots): Promise<Settled['served']> {
  const isServed = (root: DirectoryFd) => native.isServed(root[INTERNAL].handle);
  const [from, to] = await Promise.all([isServed(source), destination ? isServed(destination) : false]);
  return { source: from, destination: to };
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
