/**
 * A source directory and the one that its entries come into, both held: listed by one native call, and what of it goes without a question is
 * copied by a few more.
 */

import { newNativeCopy } from '../copy/native-copy.js';
import type { Settled } from '../copy/options.js';
import type { DirectoryFd } from '../dirfd/directory-fd.js';
import { PackedBatch } from '../dirfd/entries.js';
import type { Stat } from '../dirfd/stat.js';
import { toFsError } from '../errors.js';
import { native } from '../native/load.js';
import {
  ASPECTS,
  DECISION,
  type NativeApplied,
  type NativeCopy,
  type NativeOpened,
  type NativePair,
  STATE,
} from '../native/trees.js';

const ENTRY = ASPECTS.indexOf('entry');
const VANISHED = ASPECTS.indexOf('vanished');
const NONE = Buffer.alloc(0);

/** Entries of one native call, so that several threads share a wide directory. */
const RANGE = 512;

export class DirectoryPair {
  readonly #source: DirectoryFd;
  readonly #copy: NativeCopy;
  readonly #pair: NativePair;
  readonly #entries: PackedBatch;
  readonly #present = new Map<string, Stat>();

  private constructor(source: DirectoryFd, copy: NativeCopy, opened: NativeOpened) {
    this.#source = source;
    this.#copy = copy;
    this.#pair = opened.pair as NativePair;
    this.#entries = new PackedBatch(opened.source as Buffer);
    if (!opened.destination) return;
    const present = new PackedBatch(opened.destination);
    for (let index = 0; index < present.length; index++) {
      if (present.isError(index)) throw this.#error(present.failure(index), present.nameBytes(index));
      this.#present.set(present.nameAsLatin1(index), present.stat(index));
    }
  }

  /**
   * @param isNew made a moment ago by this process, with nobody's rights but its own: nothing stands in it
   * @throws FsError also for one entry that cannot be stat'ed, naming it
   */
  static async open(
    source: DirectoryFd,
    destination: DirectoryFd,
    isNew: boolean,
    settled: Settled,
  ): Promise<DirectoryPair> {
    const copy = newNativeCopy({ source, destination }, settled, native.newJob());
    try {
      const state = isNew ? STATE.freshHere : STATE.existing;
      const opened = await native.copyOpen(copy, undefined, NONE, NONE, state, true, !isNew, false, false);
      const pair = new DirectoryPair(source, copy, opened);
      pair.#refuse(opened);
      return pair;
    } catch (thrown) {
      native.endCopy(copy);
      throw toFsError(thrown, native.callNames, { verb: 'cp', directory: source.path });
    }
  }

  get length(): number {
    return this.#entries.length;
  }
  name(index: number): Buffer {
    return this.#entries.nameBytes(index);
  }
  stat(index: number): Stat {
    return this.#entries.stat(index);
  }
  /** What stands under that name at the destination. */
  present(index: number): Stat | undefined {
    return this.#present.size === 0 ? undefined : this.#present.get(this.#entries.nameAsLatin1(index));
  }

  /**
   * Copies the entries for which a decision other than `skip` is given.
   *
   * @throws FsError the first failure; what has been copied by then stays
   */
  async apply(decisions: Uint8Array): Promise<void> {
    const ranges: Promise<void>[] = [];
    for (let first = 0; first < decisions.length; first += RANGE) {
      const range = decisions.subarray(first, first + RANGE);
      if (range.some((decision) => decision !== DECISION.skip)) ranges.push(this.#range(first, range));
    }
    for (const outcome of await Promise.allSettled(ranges)) if (outcome.status === 'rejected') throw outcome.reason;
  }

  /** Lets go of both directories. */
  end(): void {
    native.endCopy(this.#copy);
  }

  async #range(first: number, decisions: Uint8Array): Promise<void> {
    const applied = await native
      .copyApply(this.#copy, this.#pair, first, decisions.length, decisions)
      .catch((thrown: unknown) => Promise.reject(this.#error(thrown, undefined)));
    this.#refuse(applied);
  }

  #refuse({ problems = [] }: NativeApplied): void {
    const failed = problems.find(({ aspect }) => aspect === ENTRY || aspect === VANISHED);
    if (failed) throw this.#error(failed, failed.name);
  }

  #error(failure: unknown, name: Buffer | undefined): unknown {
    return toFsError(failure, native.callNames, { verb: 'cp', path: name, directory: this.#source.path });
  }
}
