/** verifyTree and diffTree: two trees side by side, in everything that a copy keeps. */

import { DirectoryFd } from '../dirfd/directory-fd.js';
import { PackedBatch } from '../dirfd/entries.js';
import { INTERNAL } from '../dirfd/fd.js';
import { Stat } from '../dirfd/stat.js';
import { type ErrorSubject, FsError, toFsError } from '../errors.js';
import { native } from '../native/load.js';
import type { NativeFailure } from '../native/surface.js';
import {
  FIELDS,
  type NativeCompared,
  type NativeComparison,
  type NativeDifference,
  TICKET,
  type Ticket,
} from '../native/trees.js';
import { describe } from './describe.js';
import { type KeepRuleOptions, type PackedRules, packRules } from './keep-rules.js';
import { oneOf, threads } from './options.js';
import { type CopyFailure, joinPath, LIST_LIMIT } from './report.js';
import { labelOf, type TreeRoot } from './roots.js';
import { Scheduler } from './scheduler.js';
import { Listing, TreeFilter, type TreeFilterOptions } from './tree-filter.js';
import { type Running, TreeJob } from './tree-job.js';
import { TreePath } from './tree-path.js';

/**
 * With `ownerMap` and `chmod`, B is held against what a copy of A under these rules would be.
 *
 * The filters are asked about A's entries, and about those of B that A does not have.
 */
export interface VerifyOptions extends TreeFilterOptions, KeepRuleOptions {
  /** Compare owner and group. Default true. */
  readonly owner?: boolean | undefined;
  /** Compare extended attributes, file capabilities included. Default true. */
  readonly xattrs?: boolean | undefined;
  /** Compare POSIX ACLs. Default true. */
  readonly acl?: boolean | undefined;
  /** Compare modification times, to the nanosecond. Default true. */
  readonly times?: boolean | undefined;
  /** Compare where holes lie, in steps of 64 KiB. Default true. */
  readonly holes?: boolean | undefined;
  /** Compare inode flags, of files and directories. Default false. */
  readonly flags?: boolean | undefined;
  /** Compare project ids, of files and directories. Default false. */
  readonly projectIds?: boolean | undefined;
  /** Compare which names are one file. Default true. */
  readonly hardLinks?: boolean | undefined;
  /** `'stop'` rejects with the first entry that cannot be read; `'continue'` lists them in the report. Default `'continue'`. */
  readonly onError?: 'stop' | 'continue' | undefined;
  /** Threads. Default: as for copyTree. */
  readonly concurrency?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** One thing that differs. `a` and `b` are for people: what each side has, absent where it has nothing. */
export interface Difference {
  readonly type: 'difference';
  /** Below the roots; `''` is the roots themselves. */
  readonly path: string;
  readonly pathBytes: Buffer;
  /** `'missing'`: only A has the entry. `'extra'`: only B has it. */
  readonly field: (typeof FIELDS)[number] | 'hard-links';
  /** The attribute's name, where `field` is `'xattr'`. */
  readonly attribute?: string;
  readonly a?: string;
  readonly b?: string;
}

export type VerifyEvent = Difference | ({ readonly type: 'error' } & CopyFailure);

export interface VerifyReport {
  readonly a: string;
  readonly b: string;
  readonly same: boolean;
  /** Names looked at on either side. */
  readonly entries: number;
  /** Files whose content was read. */
  readonly files: number;
  readonly bytes: number;
  /** The first {@link LIST_LIMIT}, and how many in all. What lies below an entry that one side lacks counts once. */
  readonly differences: readonly Difference[];
  readonly differenceCount: number;
  /** What could not be compared. */
  readonly errors: readonly CopyFailure[];
  readonly errorCount: number;
  readonly milliseconds: number;
  /** What the command exits with: 0 the same, 1 different, 23 something could not be compared. */
  readonly exitCode: 0 | 1 | 23;
}

export class VerifyJob extends TreeJob<VerifyReport, VerifyEvent> {
  readonly #comparison: TreeComparison;

  /** @internal */
  constructor(a: TreeRoot, b: TreeRoot, options: VerifyOptions, quick: boolean) {
    super();
    this.#comparison = new TreeComparison(a, b, options, quick);
    this.begin(options.signal, async (running) => {
      await this.#comparison.run(running);
      return this.report;
    });
  }

  /** What has been found so far, also after a failure. */
  get report(): VerifyReport {
    const { files, bytes, milliseconds } = this.progress;
    return { ...this.#comparison.report, files, bytes, milliseconds: Math.round(milliseconds) };
  }
}

/**
 * Compares everything that copyTree keeps: bytes, kinds, modes, owners, nanosecond times, xattrs, ACLs, capabilities, hard links, symlink
 * targets, devices and holes. Both trees are read through held directories, following nothing.
 *
 * @throws FsError where a root cannot be opened
 */
export function verifyTree(a: TreeRoot, b: TreeRoot, options: VerifyOptions = {}): VerifyJob {
  return new VerifyJob(a, b, options, false);
}

/** As verifyTree, but reads no byte of a file whose size and modification time are the same on both sides. */
export function diffTree(a: TreeRoot, b: TreeRoot, options: VerifyOptions = {}): VerifyJob {
  return new VerifyJob(a, b, options, true);
}

const NOTHING = Buffer.alloc(0);

/** Two directories to compare. */
interface Pair {
  readonly a: DirectoryFd;
  readonly b: DirectoryFd;
  readonly path: TreePath;
  readonly ticket: Ticket;
}

class TreeComparison {
  readonly #roots: readonly [TreeRoot, TreeRoot];
  readonly #options: VerifyOptions;
  readonly #quick: boolean;
  readonly #subject: ErrorSubject;
  readonly #threads: number;
  readonly #filter: TreeFilter | undefined;
  readonly #rules: PackedRules;
  readonly #differences: Difference[] = [];
  readonly #errors: CopyFailure[] = [];
  /** The first name of each file with several, per side: two names are one file on both sides, or on neither. */
  readonly #firstNames = { a: new Map<string, string>(), b: new Map<string, string>() };
  #entries = 0;
  #differenceCount = 0;
  #errorCount = 0;

  constructor(a: TreeRoot, b: TreeRoot, options: VerifyOptions, quick: boolean) {
    this.#roots = [a, b];
    this.#options = options;
    this.#quick = quick;
    this.#subject = { verb: quick ? 'diff' : 'verify', path: labelOf(a), dest: labelOf(b) };
    oneOf(options.onError ?? 'continue', ['stop', 'continue'] as const, 'onError', this.#subject);
    this.#threads = threads(options.concurrency, this.#subject);
    this.#filter = TreeFilter.from(options, this.#subject);
    this.#rules = packRules(options, options.owner ?? true, this.#subject);
  }

  get report(): Omit<VerifyReport, 'files' | 'bytes' | 'milliseconds'> {
    return {
      a: labelOf(this.#roots[0]),
      b: labelOf(this.#roots[1]),
      same: this.#differenceCount === 0 && this.#errorCount === 0,
      entries: this.#entries,
      differences: this.#differences,
      differenceCount: this.#differenceCount,
      errors: this.#errors,
      errorCount: this.#errorCount,
      exitCode: this.#errorCount > 0 ? 23 : this.#differenceCount > 0 ? 1 : 0,
    };
  }

  async run(running: Running<VerifyEvent>): Promise<void> {
    const releases: (() => unknown)[] = [];
    const open = async (root: TreeRoot): Promise<DirectoryFd> => {
      if (root instanceof DirectoryFd) {
        releases.push(root[INTERNAL].hold(this.#subject));
        return root;
      }
      const directory = await DirectoryFd.open(root);
      releases.push(() => directory.close());
      return directory;
    };
    try {
      const [a, b] = [await open(this.#roots[0]), await open(this.#roots[1])];
      await this.#compare(a, b, running);
    } finally {
      await Promise.all(releases.map((release) => release()));
    }
  }

  async #compare(a: DirectoryFd, b: DirectoryFd, running: Running<VerifyEvent>): Promise<void> {
    const { owner = true, xattrs = true, acl = true, times = true, holes = true } = this.#options;
    const { flags = false, projectIds = false } = this.#options;
    const { users, groups, modes } = this.#rules;
    const [left, right] = [a[INTERNAL].handle, b[INTERNAL].handle];
    native.setPoolLimit(this.#threads);
    const comparison = native.newComparison(
      ...([left, right, running.job, owner, xattrs, acl, times, holes, this.#quick] as const),
      ...([flags, projectIds, users, groups, modes] as const),
    );
    const scheduler = new Scheduler(2 * this.#threads);
    try {
      const start: Pair = { a, b, path: TreePath.root, ticket: NOTHING };
      scheduler.push(() => this.#comparePair(comparison, start, scheduler, running));
      await scheduler.finished();
    } finally {
      native.endComparison(comparison);
    }
  }

  async #comparePair(
    comparison: NativeComparison,
    pair: Pair,
    scheduler: Scheduler,
    running: Running<VerifyEvent>,
  ): Promise<void> {
    const { path } = pair;
    let leftOut: Buffer = NOTHING;
    if (this.#filter) {
      const listings = await listBoth(pair, this.#filter).catch((failure: unknown) =>
        this.#fail(failure, path.bytes(), scheduler, running),
      );
      if (!listings) return;
      leftOut = leftOutOf(listings, this.#filter);
    }
    let compared: NativeCompared;
    try {
      compared = await native.comparePair(comparison, path.above, path.rest, pair.ticket, leftOut);
    } catch (failure) {
      return this.#fail(failure, path.bytes(), scheduler, running);
    }
    this.#entries += compared.compared;
    for (const difference of compared.differences) this.#differ(toDifference(difference, path.bytes()), running);
    for (const problem of compared.problems) {
      this.#fail(problem, path.entry(problem.name), scheduler, running);
    }
    if (!compared.follow || !compared.tickets) return;
    const batch = new PackedBatch(compared.follow);
    for (let i = 0; i < batch.length; i++) {
      const name = batch.nameBytes(i);
      const proof = Buffer.from(compared.tickets.subarray(TICKET * i, TICKET * (i + 1)));
      if (batch.stat(i).isDirectory()) {
        const next = { ...pair, path: path.child(name), ticket: proof };
        scheduler.push(() => this.#comparePair(comparison, next, scheduler, running));
      } else if (this.#options.hardLinks ?? true) {
        this.#compareNames(path.entry(name), proof, running);
      }
    }
  }

  /** A ticket begins with mount and inode of A's entry, then of B's: 16 bytes each. */
  #compareNames(path: Buffer, ticket: Buffer, running: Running<VerifyEvent>): void {
    const name = path.toString('latin1');
    const first = (names: Map<string, string>, identity: string): string => {
      const known = names.get(identity);
      if (known === undefined) names.set(identity, name);
      return known ?? name;
    };
    const a = first(this.#firstNames.a, ticket.toString('latin1', 0, 16));
    const b = first(this.#firstNames.b, ticket.toString('latin1', 16, 32));
    if (a === b) return;
    const shown = (other: string): string =>
      other === name ? 'a file of its own' : `the same file as '${Buffer.from(other, 'latin1').toString('utf8')}'`;
    const at = { path: path.toString('utf8'), pathBytes: path };
    this.#differ({ type: 'difference', ...at, field: 'hard-links', a: shown(a), b: shown(b) }, running);
  }

  #differ(difference: Difference, running: Running<VerifyEvent>): void {
    this.#differenceCount++;
    if (this.#differences.length < LIST_LIMIT) this.#differences.push(difference);
    running.emit(difference);
  }

  #fail(failure: unknown, path: Buffer, scheduler: Scheduler, running: Running<VerifyEvent>): void {
    const side = (failure as { subject?: number }).subject === 2 ? 1 : 0;
    const error = toFsError(failure, native.callNames, {
      verb: this.#subject.verb,
      path: path.length === 0 ? '.' : path,
      directory: labelOf(this.#roots[side]),
    });
    if (!(error instanceof FsError)) throw error;
    const failed: CopyFailure = { path: path.toString('utf8'), pathBytes: path, error };
    this.#errorCount++;
    if (this.#errors.length < LIST_LIMIT) this.#errors.push(failed);
    running.emit({ type: 'error', ...failed });
    if (running.signal.aborted || this.#options.onError === 'stop') scheduler.fail(error);
  }
}

async function listBoth({ a, b, path }: Pair, filter: TreeFilter): Promise<readonly Listing[]> {
  const left = await list(a, path, 1);
  await filter.enter(left);
  return [left, await list(b, path, 2)];
}

/** The names that take no part, each with a NUL after it. Of a name that both sides have, A's entry is asked about. */
function leftOutOf(listings: readonly Listing[], filter: TreeFilter): Buffer {
  const taken = new Map<string, boolean>();
  for (const listing of listings) {
    for (let index = 0; index < listing.length; index++) {
      const name = listing.nameAsLatin1(index);
      if (!listing.isError(index) && !taken.has(name)) taken.set(name, filter.takes(listing, index));
    }
  }
  const leftOut = [...taken].filter(([, takes]) => !takes);
  return Buffer.from(leftOut.map(([name]) => `${name}\0`).join(''), 'latin1');
}

async function list(root: DirectoryFd, path: TreePath, subject: 1 | 2): Promise<Listing> {
  const bytes = path.bytes();
  try {
    return new Listing(await native.list(root[INTERNAL].handle, bytes.length === 0 ? '.' : bytes, true), root, path);
  } catch (failure) {
    throw { ...(failure as NativeFailure), subject };
  }
}

function toDifference(difference: NativeDifference, directory: Buffer): Difference {
  const pathBytes = difference.name.length === 0 ? directory : joinPath(directory, difference.name);
  const field = FIELDS[difference.field] as (typeof FIELDS)[number];
  const left = difference.left && new Stat(difference.left);
  const right = difference.right && new Stat(difference.right);
  const a = describe(field, left, difference.leftValue, difference.offset);
  const b = describe(field, right, difference.rightValue, difference.offset);
  return {
    type: 'difference',
    path: pathBytes.toString('utf8'),
    pathBytes,
    field,
    ...(difference.attribute === undefined ? {} : { attribute: difference.attribute }),
    ...(a === undefined ? {} : { a }),
    ...(b === undefined ? {} : { b }),
  };
}
