/**
 * What a crash has left, settled: a committed transaction is finished, one that was going back goes on doing so, and what was only staged is
 * removed. Recovery may itself be interrupted at any point and begun again. A transaction is left alone as long as its process lives, which its lock
 * on the log tells.
 *
 * A transaction over several roots has its log in the first of them; the others say where that is. From whichever root recovery begins, it settles
 * all, under the locks of all. Where a root is gone, what was only staged is removed from the others; what was committed is left alone and told, and
 * keeps nobody from working.
 */

import { type ObservedOptions, observed } from '../audit/observe.js';
import { closeAll } from '../dirfd/close-all.js';
import { DirectoryFd } from '../dirfd/directory-fd.js';
import type { FileFd } from '../dirfd/file-fd.js';
import { unless } from '../dirfd/unless.js';
import type { FsErrorFields } from '../errors.js';
import { operationError, StateError } from '../operation-errors.js';
import { statOf } from './absent.js';
import { coordinatorIn, fateIn } from './coordinator.js';
import type { Base } from './directories.js';
import { isSame } from './identity.js';
import { isKept, Journal, LOG, type Story, storyOf, type Torn } from './journal.js';
import { STATE_DIRECTORY, toBytes, toText } from './names.js';
import { COPIED, gone } from './obstacle.js';
import type { RootRecord } from './records.js';
import { isAmong, isThe, partOf, Reopened, reopenIfThere } from './reopened.js';
import { holdsOld, isWaiting } from './retake.js';
import { finish, goBack } from './settle.js';
import { lockAll, Site, type TransactionRoot, unlockAll, type WaitOptions } from './site.js';
import { pathOf, type Step } from './steps.js';

export interface RecoverOptions extends WaitOptions, ObservedOptions {
  /**
   * What to do about entries that somebody has changed after the crash. `'report'` settles all the rest, leaves those alone, and rejects with a
   * StateError that lists them; the transaction stays, with both versions. `'keep'` settles for them as they are, and ends the transaction.
   * The same goes for a log that was damaged after its commit, and where a root of a committed transaction is gone. Default `'report'`.
   */
  readonly edits?: 'report' | 'keep' | undefined;
}

/** Ids of transactions, by what became of them. */
export interface RecoveryReport {
  /** Committed, and finished now. */
  readonly finished: readonly string[];
  /** Going back, and gone back now. */
  readonly rolledBack: readonly string[];
  /** Not committed, or over; what they left has been removed. */
  readonly discarded: readonly string[];
  /** Left alone: their processes live. */
  readonly active: readonly string[];
  /** Paths that stay as somebody has left them after the crash, or that have gone with their root (`edits: 'keep'`). */
  readonly kept: readonly string[];
}

/** The StateError of a recovery that has left something alone. */
export class IncompleteRecoveryError extends StateError {
  /** What became of all the rest. */
  readonly report: RecoveryReport;

  constructor(message: string, fields: FsErrorFields, paths: readonly string[], report: RecoveryReport) {
    super(message, fields, paths);
    this.report = report;
  }
}

/**
 * Settles what crashes have left in a directory. Does nothing where there is nothing to do.
 *
 * @throws IncompleteRecoveryError, a StateError with `paths`, where somebody has changed files after the crash that the transaction was about to change
 * @throws LockTimeoutError
 */
export async function recover(root: TransactionRoot, options: RecoverOptions = {}): Promise<RecoveryReport> {
  const directory = root instanceof DirectoryFd ? root.path : String(root);
  return observed({ operation: 'transaction.recover', directory }, options, async (note) => {
    const recovery = await recovered(root, options);
    const report = recovery.report();
    note({ ...report });
    recovery.throwWhatIsLeft(directory, { alsoLost: true });
    return report;
  });
}

async function recovered(root: TransactionRoot, options: RecoverOptions): Promise<Recovery> {
  const recovery = new Recovery(options);
  const site = await Site.open(root, { create: false });
  if (site === undefined) return recovery;
  await using _site = site;
  for (const id of await site.ids()) await recovery.settle(site, id);
  return recovery;
}

/**
 * Locks roots, with nothing unfinished in them: crashes are recovered from first.
 *
 * @throws StateError where that is not possible
 */
export async function lockSettled(sites: readonly Site[], shared: boolean, options: WaitOptions): Promise<FileFd[]> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const locks = await lockAll(sites, shared, options);
    let settled = false;
    try {
      settled = !(await Promise.all(sites.map((site) => hasUnfinished(site, shared)))).includes(true);
      if (settled) return locks;
    } finally {
      if (!settled) await unlockAll(locks);
    }
    for (const { root } of sites) (await recovered(root, options)).throwWhatIsLeft(root.path, { alsoLost: false });
  }
  const why = 'a process that still runs has a transaction here which could be neither finished nor taken back';
  const directory = sites[0]?.root.path;
  throw operationError(StateError, 'ERR_DIRFD_RECOVERY', why, { verb: 'recover', directory });
}

/** Recoveries, each after a crash of somebody else, until it is taken for something that no recovery helps. */
const ATTEMPTS = 5;

/** Readers only mind names that are half changed; who commits clears away what was only staged, too. */
async function hasUnfinished(site: Site, forReading: boolean): Promise<boolean> {
  for (const id of await site.ids()) {
    const story = await storyIn(site, id);
    const isHalf = story?.state === 'committed' || story?.state === 'going-back' || story?.torn !== undefined;
    // Nobody can settle it as long as that root is gone.
    if (story?.isLost || (isHalf && (await isWithoutRoot(story, site, id)))) continue;
    if (story?.state === 'committed' || story?.state === 'going-back') return true;
    const isCut = story === undefined || (story.state === 'staged' && !story.active);
    if (isCut && (!forReading || story?.torn)) return true;
  }
  return false;
}

async function isWithoutRoot(story: Story, site: Site, id: string): Promise<boolean> {
  if (!isAmong(story.roots, site)) return false;
  await using reopened = await Reopened.left(story.roots, site, id);
  return reopened.sites.length < story.roots.length;
}

/** What is known of a transaction. */
export interface Told extends Story {
  readonly active: boolean;
  /** The root with the log is gone, and whether it was committed nobody knows. */
  readonly isLost?: boolean | undefined;
}

/** What the log of a transaction says, wherever it is; undefined without one. */
export async function storyIn(site: Site, id: string): Promise<Told | undefined> {
  return withWork(site, id, async (work) => {
    const place = await coordinatorIn(work);
    if (place === undefined) {
      const read = await unless('ENOENT', Journal.read(work));
      return read && { ...read.story, id, active: read.active };
    }
    const coordinator = await reopenIfThere(place.root, id, false);
    if (coordinator === undefined) return undefined;
    if (coordinator === 'gone') {
      const fate = await fateIn(work);
      return { ...storyOf([]), id, active: fate === 'active', isLost: fate === 'prepared' };
    }
    await using _coordinator = coordinator;
    return await storyIn(coordinator, id);
  });
}

class Recovery {
  readonly #finished: string[] = [];
  readonly #rolledBack: string[] = [];
  readonly #discarded: string[] = [];
  readonly #active: string[] = [];
  readonly #kept: string[] = [];
  readonly #left: string[] = [];
  /** What belongs to transactions of which nobody knows how far they came. */
  readonly #unclear: { readonly path: string; readonly why: string }[] = [];
  /** The same of those that have lost a root. */
  readonly #lost: { readonly path: string; readonly why: string }[] = [];
  readonly #options: RecoverOptions;

  constructor(options: RecoverOptions) {
    this.#options = options;
  }

  report(): RecoveryReport {
    const [finished, rolledBack, discarded] = [this.#finished, this.#rolledBack, this.#discarded];
    return { finished, rolledBack, discarded, active: this.#active, kept: [...new Set(this.#kept)] };
  }

  /** @param alsoLost whether those count that nobody can settle, and that are in nobody's way */
  throwWhatIsLeft(directory: string, { alsoLost }: { readonly alsoLost: boolean }): void {
    const report = this.report();
    const unclear = alsoLost ? [...this.#unclear, ...this.#lost] : this.#unclear;
    const [first] = unclear;
    if (first !== undefined) {
      const why = `${first.why}; look at it, then recover with edits: 'keep'`;
      const subject = { verb: 'recover', directory, path: first.path };
      const paths = unclear.map(({ path }) => path);
      throw operationError(IncompleteRecoveryError, 'ERR_DIRFD_RECOVERY', why, subject, undefined, paths, report);
    }
    const [path] = this.#left;
    if (path === undefined) return;
    const others = this.#left.length > 1 ? `, and ${this.#left.length - 1} others` : '';
    const why = `changed by somebody after a crash, and left alone${others}; look at it, then recover with edits: 'keep'`;
    const subject = { verb: 'recover', directory, path };
    throw operationError(
      IncompleteRecoveryError,
      'ERR_DIRFD_RECOVERY',
      why,
      subject,
      undefined,
      [...this.#left],
      report,
    );
  }

  async settle(site: Site, id: string): Promise<void> {
    const place = await withWork(site, id, coordinatorIn);
    if (place === undefined) return this.#settleAll(site, id, site);
    const coordinator = (await reopenIfThere(place.root, id, true)) as Site | 'gone';
    if (coordinator === 'gone') return this.#locked([site], () => this.#settleWithoutLog(site, id, place.root));
    await using _coordinator = coordinator;
    if (await coordinator.state.exists(id)) return await this.#settleAll(coordinator, id, site);
    // The first root forgets last, and makes its directory first: without it there is nothing to be done here.
    await this.#locked([site], async () => {
      if (!(await coordinator.state.exists(id))) await this.#discard([site], id);
    });
  }

  async #settleWithoutLog(site: Site, id: string, first: RootRecord): Promise<void> {
    const fate = await withWork(site, id, fateIn);
    if (fate === 'active') this.#active.push(id);
    else if (fate === 'prepared' && this.#options.edits !== 'keep') this.#leaveLost(id, first);
    else if (fate !== undefined) await this.#discard([site], id);
  }

  #leaveLost(id: string, root: RootRecord): void {
    this.#lost.push({ path: `${STATE_DIRECTORY}/${id}`, why: gone(root) });
  }

  /**
   * @param first the root with the log
   * @param asked the one from which this recovery has come to it
   */
  async #settleAll(first: Site, id: string, asked: Site): Promise<void> {
    const story = await storyIn(first, id);
    const roots = story?.roots ?? [];
    if (story && !(isAmong(roots, asked) && isAmong(roots.slice(0, 1), first))) {
      return this.#locked([asked], () => this.#settleCopy(asked, id, story));
    }
    if (roots.length === 0) return this.#locked([first], () => this.#settleLocked([first], id));
    await using reopened = await Reopened.left(roots, first, id);
    const gone = roots.filter((root) => !reopened.sites.some((site) => isThe(root, site)));
    await this.#locked(reopened.sites, () => this.#settleLocked(reopened.sites, id, gone));
  }

  /** The log speaks of other inodes: nothing can be finished or taken back, and the root that it speaks of has its own. */
  async #settleCopy(copy: Site, id: string, story: Story): Promise<void> {
    const { state, torn } = story;
    const isHalf = state === 'committed' || state === 'going-back' || torn?.wasWhole === true;
    if (isHalf && this.#options.edits !== 'keep') {
      this.#unclear.push({ path: `${STATE_DIRECTORY}/${id}`, why: COPIED });
    } else if (!isKept(story)) {
      await this.#discard([copy], id);
    }
  }

  /** @param gone roots that took part, and are not among the sites */
  async #settleLocked(sites: readonly Site[], id: string, gone: readonly RootRecord[] = []): Promise<void> {
    const works: (DirectoryFd | undefined)[] = [];
    try {
      for (const { state } of sites) works.push(await unless('ENOENT', state.openDirectory(id)));
      const [work] = works;
      if (work === undefined) return;
      const resumed = await unless('ENOENT', Journal.resume(work));
      if (resumed === 'active') {
        this.#active.push(id);
        return;
      }
      await using _journal = resumed?.journal;
      const keepGoing = this.#options.edits === 'keep';
      const state = resumed?.story.state;
      const [lost] = gone;
      if (resumed && (state === 'committed' || state === 'going-back')) {
        if (lost && !keepGoing) return this.#leaveLost(id, lost);
        const story = lost ? partOf(resumed.story, sites) : resumed.story;
        const isHere = await this.#restoreWorks(sites, works, id, story.steps);
        if (!isHere) return;
        const settle = state === 'committed' ? finish : goBack;
        const obstacles = await settle(resumed.journal, story, basesOf(sites, works), keepGoing);
        const { steps, roots } = resumed.story;
        this.#note(
          steps.filter((step) => gone.some(({ path }) => path === roots[step.root]?.path)),
          true,
        );
        this.#note(obstacles, keepGoing);
        if (obstacles.length > 0 && !keepGoing) return;
        (state === 'committed' ? this.#finished : this.#rolledBack).push(id);
        // What is kept could not be taken back without that root.
        const isOver =
          state === 'committed' ? !resumed.story.keepUndo : resumed.story.goingBack.size === resumed.story.inForce.size;
        if (isOver || lost) await discard(sites, id);
      } else if (resumed === undefined || !isKept(resumed.story)) {
        const isWhole = !works.includes(undefined);
        const torn = isWhole && !keepGoing ? resumed?.story.torn : undefined;
        if (torn && lost) this.#leaveLost(id, lost);
        else if (torn && (await hasBegun(torn, basesOf(sites, works)))) {
          const why = 'damaged after the commit: some of it may be done, some not';
          this.#unclear.push({ path: `${STATE_DIRECTORY}/${id}/${LOG}`, why });
        } else {
          await this.#discard(sites, id);
        }
      }
    } finally {
      await closeAll(works);
    }
  }

  /**
   * Once a transaction is committed, each root has what it needs to be finished or taken back. Without that it goes on only on request, with empty
   * directories in the place of those that are gone.
   *
   * @returns whether it may
   */
  async #restoreWorks(
    sites: readonly Site[],
    works: (DirectoryFd | undefined)[],
    id: string,
    steps: readonly Step[],
  ): Promise<boolean> {
    for (const [index, { root, state }] of sites.entries()) {
      if (works[index]) continue;
      if (this.#options.edits !== 'keep') {
        const why = `gone from '${root.path}': some of the transaction may be done there, some not`;
        this.#unclear.push({ path: `${STATE_DIRECTORY}/${id}`, why });
        return false;
      }
      await state.mkdir(id, { mode: 0o700 });
      works[index] = await state.openDirectory(id);
      this.#note(
        steps.filter((step) => step.root === index),
        true,
      );
    }
    return true;
  }

  #note(obstacles: readonly Step[], keepGoing: boolean): void {
    const paths = obstacles.map((step) => toText(pathOf(step)));
    (keepGoing ? this.#kept : this.#left).push(...new Set(paths));
  }

  async #discard(sites: readonly Site[], id: string): Promise<void> {
    await discard(sites, id);
    this.#discarded.push(id);
  }

  async #locked(sites: readonly Site[], work: () => Promise<void>): Promise<void> {
    const locks = await lockAll(sites, false, this.#options);
    try {
      await work();
    } finally {
      await unlockAll(locks);
    }
  }
}

export function basesOf(sites: readonly Site[], works: readonly (DirectoryFd | undefined)[]): Base[] {
  return sites.map(({ root }, index) => ({ root, work: works[index] as DirectoryFd }));
}

/** Whether steps have been taken whose log is torn, as far as can be told: a crash tears it only before any is. */
async function hasBegun({ steps, wasWhole }: Torn, bases: readonly Base[]): Promise<boolean> {
  if (wasWhole) return true;
  for (const step of steps) {
    const base = bases[step.root];
    if (base === undefined) continue;
    if (await holdsOld(step, base.work)) return true;
    if (step.do !== 'attach' || (await isWaiting(step, base.work))) continue;
    if (isSame(await statOf(base.root, toBytes(pathOf(step))), step.new)) return true;
  }
  return false;
}

/** Removes what a transaction has in its roots; the first, which has the log, forgets last. */
export async function discard(sites: readonly Site[], id: string): Promise<void> {
  for (const { state } of [...sites].reverse()) await state.removeTree(id, { force: true });
}

async function withWork<T>(site: Site, id: string, act: (work: DirectoryFd) => Promise<T>): Promise<T | undefined> {
  const work = await unless('ENOENT', site.state.openDirectory(id));
  if (work === undefined) return undefined;
  await using _work = work;
  return await act(work);
}
