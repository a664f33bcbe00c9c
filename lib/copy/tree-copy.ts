/**
 * Drives one copy, directory by directory; all work on files is native.
 *
 *   survey ──▶ which directories to visit, where the destination may be a copy already
 *   open ──▶ (decide ──▶ apply ranges) ──▶ links ──▶ finish ──▶ the parent hears that the subtree is done
 *    │
 *    └─ directories that this copy made, with nothing to decide, are filled by one native call, many at a time, and finished by it
 *
 * It is one long file, because every one of these steps may lead back to another: a link that is refused is applied, what is applied tells of links.
 *
 * A directory's own mode and times are set when nothing more is made in it: its entries and links. One that its owner may not search waits
 * for the whole subtree.
 */

import { PackedBatch } from '../dirfd/entries.js';
import type { Stat } from '../dirfd/stat.js';
import { native } from '../native/load.js';
import {
  DECISION,
  type Decision,
  type NativeApplied,
  type NativeCopy,
  type NativeOpened,
  type NativePair,
  OUTCOME,
  STATE,
  STEP,
  type State,
  TICKET,
  type Ticket,
} from '../native/trees.js';
import { Decider, decide, PROTECTED } from './decide.js';
import { DeletePass } from './delete-pass.js';
import { Deletions } from './deletions.js';
import { type Directory, madeState, newDirectory, setOpened, ticketOf } from './directory.js';
import type { CopyEvent } from './events.js';
import { FreshDirectories } from './fresh-directories.js';
import { type First, type LinkKey, linkKey, type Undecided } from './hard-links.js';
import { contentOf, IdleCount } from './idle-count.js';
import { Itemizer } from './itemizer.js';
import { Linking } from './linking.js';
import { newNativeCopy, type TreeCopyRoots } from './native-copy.js';
import type { Settled } from './options.js';
import type { ReportBuilder } from './report.js';
import { Scheduler } from './scheduler.js';
import { Present } from './standing.js';
import { canSurvey, survey, type Visits } from './survey.js';
import { Listing, type TreeFilter } from './tree-filter.js';
import type { Running } from './tree-job.js';
import { TreePath } from './tree-path.js';

/** Bytes: a file that is a task of its own; kLargeFile in native/ops/copy_entry.h. */
const LARGE_FILE = 1n << 24n;

const EMPTY = Buffer.alloc(0);
const CREATE = Uint8Array.of(DECISION.create);

export class TreeCopy {
  readonly #roots: TreeCopyRoots;
  readonly #options: Settled;
  readonly #report: ReportBuilder;
  readonly #running: Running<CopyEvent>;
  readonly #copy: NativeCopy;
  readonly #scheduler: Scheduler;
  readonly #fresh: FreshDirectories;
  readonly #links: Linking;
  readonly #decider: Decider;
  readonly #itemizer: Itemizer;
  readonly #deletions: Deletions;
  /** Keeps what it leaves out from being deleted. */
  readonly #guard: TreeFilter | undefined;
  /** Directories that this copy makes need no decisions. */
  readonly #plain: boolean;
  /** Undefined: all are to be visited. */
  #visits: Visits | undefined;

  constructor(roots: TreeCopyRoots, options: Settled, report: ReportBuilder, running: Running<CopyEvent>) {
    this.#roots = roots;
    this.#options = options;
    this.#report = report;
    this.#running = running;
    this.#itemizer = new Itemizer(options, report, running.emit);
    this.#copy = newNativeCopy(roots, options, running.job);
    this.#deletions = new Deletions({
      ...{ roots, options, report, itemizer: this.#itemizer, job: running.job },
      tell: (event) => this.#tell(event),
      fail: this.#fail,
    });
    // Twice the threads: while JavaScript digests one answer, the thread that gave it has its next task already. But one
    // thread that tells meets everything in one order, so that a dry run meets the names of a file as the run does.
    const inOrder = options.concurrency === 1 && (options.dryRun || options.itemize);
    this.#scheduler = new Scheduler(inOrder ? 1 : 2 * options.concurrency);
    this.#fresh = new FreshDirectories(this.#copy, this.#scheduler, options.oneFileSystem ? roots.stat.mountId : 0n, {
      count: (filled) => report.count(filled),
      enter: (directory, opened) => this.#enter(directory, opened),
      fail: (failure, path) => this.#fail(failure, path.bytes()),
      broken: (failure) => this.#report.error(failure, EMPTY),
      filled: (above) => this.#settle(above),
    });
    this.#links = new Linking({
      ...{ copy: this.#copy, job: running.job, scheduler: this.#scheduler, itemizer: this.#itemizer },
      apply: (directory, from, steps, firsts) => this.#apply(directory, from, steps.length, steps, firsts),
      count: (applied, directory) => this.#count(applied, directory),
      fail: this.#fail,
      ended: (directory) => this.#ended(directory),
    });
    this.#decider = new Decider(options);
    this.#guard = options.deleteExcluded ? undefined : options.filter;
    this.#plain = !options.dryRun && !options.itemize && !options.filter;
  }

  async run(): Promise<void> {
    if (this.#roots.state === STATE.existing && canSurvey(this.#options)) {
      this.#visits = await survey(this.#copy, this.#options).catch((failure: unknown) =>
        Promise.reject(this.#report.error(failure, EMPTY)),
      );
      if (this.#visits?.size === 0) return;
    }
    const { delete: deletes } = this.#options;
    if (deletes === 'before') await this.#deletePass();
    const root = this.#directory(undefined, TreePath.root, EMPTY, this.#roots.state, this.#roots.stat);
    this.#scheduler.push(() => this.#open(root));
    await this.#scheduler.finished();
    if (deletes !== 'after') return;
    if (this.#report.errorCount > 0) return this.#report.skipDeletions();
    await this.#deletePass();
    await this.#scheduler.finished();
  }

  /** One file, not a directory: both roots are the directories that hold it. */
  async runSingle(sourceName: Buffer, destinationName: Buffer, present: Stat | undefined): Promise<void> {
    const { pair, source } = await native
      .copySingle(this.#copy, sourceName, destinationName)
      .catch((failure: unknown) => Promise.reject(this.#report.error(failure, sourceName)));
    const root = this.#directory(undefined, TreePath.root, EMPTY, this.#roots.state, this.#roots.stat);
    root.pair = pair;
    root.finished = true;
    const stat = new PackedBatch(source).stat(0);
    const decision = this.#decide(stat, present, () => sourceName);
    const step = this.#itemizer.step(decision, stat, present, () => sourceName);
    if (step !== DECISION.skip) this.#apply(root, 0, 1, Uint8Array.of(step), []);
    else native.countUnchanged(this.#running.job, 1, contentOf(stat, false));
    await this.#scheduler.finished();
  }

  /** Lets go of the roots. Only after run() has settled. */
  end(): void {
    native.endCopy(this.#copy);
  }

  #directory(parent: Directory | undefined, path: TreePath, ticket: Ticket, state: State, stat: Stat): Directory {
    const bare = this.#options.oneFileSystem && stat.mountId !== this.#roots.stat.mountId;
    const visit = this.#visits?.get(path.asLatin1());
    const surveyed = (visit?.isKnownBelow ?? false) && (parent?.surveyed ?? true);
    return newDirectory({ path, ticket, state, parent, bare, surveyed, seen: visit?.isSeen ?? false });
  }

  async #open(directory: Directory): Promise<void> {
    const { path, ticket, state, bare, seen } = directory;
    const isPlain = this.#isPlain(state);
    let opened: NativeOpened;
    try {
      const listDestination = state === STATE.existing && !bare;
      const tells = this.#options.itemize;
      opened = await native.copyOpen(
        ...([this.#copy, path.above, path.rest, ticket, state, !bare, listDestination, isPlain, tells, seen] as const),
      );
    } catch (failure) {
      this.#fail(failure, path.bytes());
      directory.finished = true;
      return this.#ended(directory);
    }
    if (opened.own !== undefined) this.#itemizer.directory(path.bytes(), opened.own);
    if (isPlain) return this.#enter(directory, opened);
    setOpened(directory, opened);
    this.#absorb(directory, opened);
    await this.#decideAll(directory, opened);
    this.#ended(directory);
  }

  /** A directory in which nothing is to be decided: narrow ones are copied already, wide ones in ranges. */
  #enter(directory: Directory, opened: NativeOpened): void {
    setOpened(directory, opened);
    this.#absorb(directory, opened);
    if (!opened.copied) this.#applyRanges(directory, opened.count, EMPTY);
    this.#ended(directory);
  }

  #isPlain(state: State): boolean {
    return this.#plain && (state === STATE.fresh || state === STATE.freshHere);
  }

  #applyRanges(directory: Directory, count: number, steps: Uint8Array, firsts: readonly First[] = []): void {
    const most = this.#options.range;
    let next = 0;
    for (let from = 0; from < count; from += most) {
      const length = Math.min(most, count - from);
      const range = steps.subarray(from, from + length);
      const first = next;
      while (next < firsts.length && (firsts[next] as First).index < from + length) next++;
      if (steps.length > 0 && range.every((step) => step === DECISION.skip)) continue;
      this.#apply(directory, from, length, range, firsts.slice(first, next));
    }
  }

  #apply(directory: Directory, from: number, count: number, steps: Uint8Array, firsts: readonly First[]): void {
    directory.own++;
    this.#scheduler.push(async () => {
      const pair = directory.pair as NativePair;
      try {
        this.#absorb(directory, await native.copyApply(this.#copy, pair, from, count, steps), firsts);
      } catch (failure) {
        this.#fail(failure, directory.path.bytes());
        this.#absorb(directory, {}, firsts);
      }
      this.#ended(directory);
    });
  }

  /** Takes in what native code has done: counts, problems, subdirectories, first and further names. */
  #absorb(directory: Directory, applied: NativeApplied, firsts: readonly First[] = []): void {
    this.#count(applied, directory);
    const completed = new Map<number, LinkKey>();
    if (applied.entries) this.#goOn(directory, applied, new PackedBatch(applied.entries), completed);
    // Also where another file has taken the name, and is what was copied.
    for (const { key, index } of firsts) if (!completed.get(index)?.equals(key)) this.#links.failed(key);
  }

  #count(applied: NativeApplied, directory: Directory): void {
    this.#report.count(applied);
    if (!applied.problems) return;
    const path = directory.path.bytes();
    for (const problem of applied.problems) this.#tell(this.#report.note(problem, path));
  }

  #goOn(directory: Directory, applied: NativeApplied, batch: PackedBatch, completed: Map<number, LinkKey>): void {
    const { indices, outcomes, tickets, changes } = applied as Required<NativeApplied>;
    const undecided: Undecided[] = [];
    for (let i = 0; i < batch.length; i++) {
      const stat = batch.stat(i);
      const name = batch.nameBytes(i);
      const path = () => directory.path.entry(name);
      const index = indices[i] as number;
      const ticket = Buffer.from(tickets.subarray(TICKET * i, TICKET * (i + 1)));
      if (outcomes[i] === OUTCOME.undecided) undecided.push({ index, stat, path: path() });
      else if (outcomes[i] === OUTCOME.large) this.#apply(directory, index, 1, CREATE, []);
      else if (outcomes[i] === OUTCOME.failed) this.#links.failed(linkKey(stat));
      else if (outcomes[i] === OUTCOME.told) this.#itemizer.changed(stat, path, changes[i] as number);
      else if (outcomes[i] === OUTCOME.entered) this.#descend(directory, name, ticket, STATE.existing, stat);
      else if (stat.isDirectory()) this.#descend(directory, name, ticket, madeState(directory.state), stat);
      else {
        completed.set(index, linkKey(stat));
        this.#links.done(linkKey(stat), { path: path(), ticket });
      }
    }
    if (undecided.length > 0) this.#links.claimAll(directory, undecided);
  }

  #descend(parent: Directory, name: Buffer, ticket: Ticket, state: State, stat: Stat): void {
    const path = parent.path.child(name);
    const isSettled = parent.surveyed && state === STATE.existing && !this.#visits?.has(path.asLatin1());
    if (isSettled) return;
    if (this.#isPlain(state)) {
      this.#fresh.push({ above: parent, path, ticket, state });
      return;
    }
    const child = this.#directory(parent, path, ticket, state, stat);
    parent.children++;
    this.#scheduler.push(() => this.#open(child));
  }

  /** Everything that is listed, against what is there. */
  async #decideAll(directory: Directory, opened: NativeOpened): Promise<void> {
    if (!opened.source) return;
    const { filter } = this.#options;
    const guard = this.#guard;
    const source = new Listing(opened.source, this.#roots.source, directory.path);
    const present = new Present(opened.destination, this.#roots.destination, directory.path);
    try {
      await filter?.enter(source);
    } catch (error) {
      // Without its patterns nothing in the directory can be told from what they exclude.
      return this.#fail(error, directory.path.bytes());
    }
    const steps = new Uint8Array(source.length);
    const firsts: First[] = [];
    const idle = new IdleCount(this.#options.hardLinks);
    for (let index = 0; index < source.length; index++) {
      const stat = source.stat(index);
      const name = source.nameAsLatin1(index);
      const takes = filter?.takes(source, index) ?? true;
      const standing = takes || guard ? present.claim(name) : undefined;
      if (!takes) continue;
      const path = () => source.pathBytes(index);
      const decision =
        standing?.isDirectory() && !stat.isDirectory()
          ? await this.#decideOverTree(stat, standing, path, () => present.mayGo(name, guard, this.#fail))
          : this.#decide(stat, standing, path);
      if (decision === DECISION.skip) {
        idle.add(stat);
        continue;
      }
      const isNamed = this.#options.hardLinks && !stat.isDirectory() && stat.nlink > 1;
      if (isNamed && !this.#links.claim({ directory, index, path: path(), decision, stat, present: standing }))
        continue;
      const step = this.#itemizer.step(decision, stat, standing, path);
      steps[index] = step;
      if (step === DECISION.skip) idle.add(stat);
      if (this.#options.dryRun && stat.isDirectory()) {
        const state = decision === DECISION.enterDirectory ? STATE.existing : STATE.none;
        const stays = state === STATE.existing ? standing : undefined;
        this.#descend(directory, source.nameBytes(index), ticketOf(stat, stays), state, stat);
      }
      if (!isNamed) continue;
      // Nothing is done in a dry run, nor anything compared: the names that follow need not wait.
      if (step === DECISION.skip) this.#links.done(linkKey(stat), { path: path(), ticket: EMPTY });
      else firsts.push({ key: linkKey(stat), index, path: path() });
    }
    if (!directory.seen) idle.tell(this.#running.job);
    if (this.#options.delete === true && present.hasStrangers) this.#deleteAll(directory, present);
    const others = this.#applyLarge(directory, source, steps, firsts);
    this.#applyRanges(directory, source.length, steps, others);
  }

  /** Large files, each on its own; the ranges then skip them. @returns the firsts among the others, in order */
  #applyLarge(directory: Directory, source: Listing, steps: Uint8Array, firsts: readonly First[]): readonly First[] {
    const others = new Map(firsts.map((first) => [first.index, first]));
    for (const [index, step] of steps.entries()) {
      const copies = (step & ~STEP.tells) === DECISION.create || (step & ~STEP.tells) === DECISION.replace;
      if (!copies || source.stat(index).exactSize < LARGE_FILE) continue;
      const first = others.get(index);
      others.delete(index);
      this.#apply(directory, index, 1, Uint8Array.of(step), first ? [first] : []);
      steps[index] = DECISION.skip;
    }
    return [...others.values()];
  }

  /** Where a directory stands in the way of something else: it may hold what the filters protect, or more than may be removed. */
  async #decideOverTree(
    stat: Stat,
    standing: Stat,
    path: () => Buffer,
    mayGo: () => Promise<boolean>,
  ): Promise<Decision> {
    const replaces = decide(stat, standing, this.#options) === DECISION.replaceTree;
    if (replaces && !(await mayGo())) {
      this.#tell(this.#report.refuse(PROTECTED, path()));
      return DECISION.skip;
    }
    const decision = this.#decide(stat, standing, path);
    if (replaces && !(await this.#deletions.admits(path(), standing))) return DECISION.skip;
    return decision;
  }

  #decide(stat: Stat, present: Stat | undefined, path: () => Buffer): Decision {
    // Could not be stat'ed: reported already. It is there, though, and nothing to delete.
    if (stat.mode === 0) return DECISION.skip;
    const decision = this.#decider.decide(stat, present);
    if (typeof decision !== 'number') {
      this.#tell(this.#report.refuse(decision, path()));
      return DECISION.skip;
    }
    return decision;
  }

  #deleteAll(directory: Directory, present: Present): void {
    const doomed = present.strangers(this.#guard, this.#fail);
    for (let worker = 0; worker < this.#options.concurrency; worker++) {
      this.#task(directory, async () => {
        await this.#deletions.removeAll(doomed, () => this.#scheduler.failed);
      });
    }
  }

  #deletePass(): Promise<void> {
    return new DeletePass({
      ...{ copy: this.#copy, roots: this.#roots, options: this.#options, deletions: this.#deletions },
      ...{ guard: this.#guard, visits: this.#visits, fail: this.#fail, stopped: () => this.#scheduler.failed },
    }).run();
  }

  #finish(directory: Directory): void {
    directory.finished = true;
    if (!directory.pair || this.#options.dryRun) {
      this.#settle(directory);
      return;
    }
    this.#task(directory, async () => {
      this.#absorb(directory, await native.copyFinish(this.#copy, directory.pair as NativePair));
    });
  }

  /** Native work that the directory has to wait for. */
  #task(directory: Directory, work: () => Promise<void>): void {
    directory.own++;
    this.#scheduler.push(async () => {
      await work().catch((failure: unknown) => this.#fail(failure, directory.path.bytes()));
      this.#ended(directory);
    });
  }

  /** One native call on the directory has come to its end. */
  #ended(directory: Directory): void {
    directory.own--;
    this.#settle(directory);
  }

  /** Goes on with a directory that may have become ready, and with those above it; a loop, for trees may be very deep. */
  #settle(directory: Directory): void {
    for (let at: Directory | undefined = directory; at && at.own === 0; at = at.parent) {
      if (!at.finished) {
        if (!at.waits || at.children === 0) this.#finish(at);
        return;
      }
      at.pair = undefined;
      if (at.children > 0) return;
      if (at.parent) at.parent.children--;
    }
  }

  readonly #fail = (failure: unknown, path: Buffer): void => {
    this.#tell(this.#report.fail(this.#report.error(failure, path), path));
  };

  /** Passes an event on; an error ends the copy where the policy says so. */
  #tell(event: CopyEvent): void {
    this.#running.emit(event);
    const { signal } = this.#running;
    if (event.type !== 'error') return;
    if (signal.aborted) this.#scheduler.fail(signal.reason);
    else if (this.#options.onError === 'stop' || event.error.code === 'ECANCELED') this.#scheduler.fail(event.error);
  }
}
