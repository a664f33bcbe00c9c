/**
 * walk(): a tree as a stream of entries, each with its whole stat from one statx(2).
 *
 *   options.ts     what to do                  filter.ts, gitignore.ts   what to report and enter
 *   run.ts         the life of a walk          iterator.ts               how it is consumed
 *   session.ts     the native walk             batch.ts, entry.ts        its packed results
 *   reopen.ts      from an entry back to what it stands for
 */

import { DirectoryFd } from '../dirfd/directory-fd.js';
import { type ErrorSubject, ownError } from '../errors.js';
import type { EntryBatch } from './batch.js';
import type { Entry } from './entry.js';
import { createFilter, needsFilter } from './filter.js';
import { EntryIterator, iterateBatches } from './iterator.js';
import {
  checkPolicies,
  type NameOf,
  toNativeOptions,
  type WalkEncoding,
  type WalkOptions,
  type WalkStatistics,
} from './options.js';
import { Run, type WalkRoot } from './run.js';

/** Where a walk stands. */
export interface WalkProgress {
  /** Entries given to the consumer. */
  readonly delivered: number;
  /** Entries found so far, some of which the consumer has yet to see, and some of which a filter may keep from it. */
  readonly found: number;
  /** Directories listed so far. */
  readonly directories: number;
  /** True when nothing is left: all delivered, or the walk was ended. */
  readonly done: boolean;
}

/**
 * Walks all that is below a directory; the directory itself is no entry. Nothing happens until the first entry is asked for. Memory is
 * bounded, whatever the tree and however slow the consumer; `break`, a throw, `close()` and `signal` release every thread and descriptor.
 *
 * @param root an open DirectoryFd, which the walk shares and leaves open, or a path, which is opened at the first entry and closed at the
 *   end
 * @throws FsError ERR_DIRFD_INVALID_ARGUMENT at once, for options that make no sense; all else comes from the iteration
 *
 * @example
 * let bytes = 0;
 * for await (const entry of walk('/srv/data', { exclude: 'node_modules' })) bytes += entry.stat.size;
 */
export function walk<E extends WalkEncoding = 'utf8'>(root: WalkRoot, options: WalkOptions<E> = {}): Walk<NameOf<E>> {
  return new Walk<NameOf<E>>(root, options as WalkOptions);
}

/** A walk, to be iterated once. */
export class Walk<Name extends string | Buffer = string> implements AsyncIterable<Entry<Name>>, AsyncDisposable {
  readonly #run: Run;
  readonly #subject: ErrorSubject;
  #begun = false;

  /** @internal */
  constructor(root: WalkRoot, options: WalkOptions) {
    const subject = root instanceof DirectoryFd ? { verb: 'walk', directory: root.path } : { verb: 'walk' };
    checkPolicies(options, subject);
    const asks = needsFilter(options);
    if (asks) createFilter(options, subject); // mistakes are told at once
    this.#subject = subject;
    this.#run = new Run(root, {
      native: toNativeOptions(options, asks, subject),
      buffers: options.encoding === 'buffer',
      onError: options.onError ?? 'throw',
      signal: options.signal,
      createFilter: asks ? () => createFilter(options, subject) : undefined,
      subject,
    });
  }

  /** Counted by the walk's threads. */
  get statistics(): WalkStatistics {
    return this.#run.statistics;
  }

  get progress(): WalkProgress {
    const { entries, directories } = this.#run.statistics;
    return { delivered: this.#run.delivered, found: entries, directories, done: this.#run.closing };
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<Entry<Name>> {
    this.#begin();
    return new EntryIterator<Name>(this.#run);
  }

  /** The same entries, a batch at a time: less work an entry. */
  batches(): AsyncGenerator<EntryBatch<Name>, void> {
    this.#begin();
    return iterateBatches<Name>(this.#run);
  }

  /** Ends the walk, if it has not ended; resolves when its threads and descriptors are gone. */
  close(): Promise<void> {
    return this.#run.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #begin(): void {
    if (this.#begun) {
      throw ownError('ERR_DIRFD_INVALID_ARGUMENT', 'a walk is iterated once; call walk() again', this.#subject);
    }
    this.#begun = true;
  }
}
