/**
 * Both trees gone through for nothing but what is to be removed: before anything is copied, so that there is room, or after everything is. Each
 * directory is held on both sides while it is listed, and nothing goes but what lies in a directory whose source could be listed whole.
 */

import type { Stat } from '../dirfd/stat.js';
import { native } from '../native/load.js';
import { type NativeCopy, STATE, type Ticket } from '../native/trees.js';
import type { Deletions } from './deletions.js';
import { ticketOf } from './directory.js';
import type { TreeCopyRoots } from './native-copy.js';
import type { Settled } from './options.js';
import { Scheduler } from './scheduler.js';
import { type Doomed, Present } from './standing.js';
import type { Visits } from './survey.js';
import { Listing, type TreeFilter } from './tree-filter.js';
import { TreePath } from './tree-path.js';

export interface PassContext {
  readonly copy: NativeCopy;
  readonly roots: TreeCopyRoots;
  readonly options: Settled;
  readonly deletions: Deletions;
  /** Keeps what it leaves out from being deleted. */
  readonly guard: TreeFilter | undefined;
  /** Directories in which something differs; undefined: any may. */
  readonly visits: Visits | undefined;
  readonly fail: (failure: unknown, path: Buffer) => void;
  readonly stopped: () => boolean;
}

interface Common {
  readonly path: TreePath;
  readonly ticket: Ticket;
  readonly stat: Stat;
  /** It is known which of its directories differ. */
  readonly surveyed: boolean;
}

const NOTHING = Buffer.alloc(0);

export class DeletePass {
  readonly #context: PassContext;
  readonly #scheduler: Scheduler;

  constructor(context: PassContext) {
    this.#context = context;
    this.#scheduler = new Scheduler(2 * context.options.concurrency);
  }

  async run(): Promise<void> {
    const { roots, options } = this.#context;
    // A dry run onto nothing.
    if (!roots.destination || (options.dryRun && roots.state === STATE.none)) return;
    this.#push({ path: TreePath.root, ticket: NOTHING, stat: roots.stat, surveyed: true });
    await this.#scheduler.finished();
  }

  #push(directory: Common): void {
    if (this.#context.stopped()) return;
    this.#scheduler.push(() =>
      this.#visit(directory).catch((failure: unknown) => this.#context.fail(failure, directory.path.bytes())),
    );
  }

  async #visit({ path, ticket, stat, surveyed }: Common): Promise<void> {
    const { copy, roots, options, guard, visits } = this.#context;
    // What is mounted there is left out: what it covers is nobody's to judge.
    if (options.oneFileSystem && stat.mountId !== roots.stat.mountId) return;
    const opened = await native.copyOpen(copy, path.above, path.rest, ticket, STATE.existing, true, true, false, false);
    const source = new Listing(opened.source ?? NOTHING, roots.source, path);
    const present = new Present(opened.destination, roots.destination, path);
    await options.filter?.enter(source);
    const isKnown = surveyed && (visits?.get(path.asLatin1())?.isKnownBelow ?? false);
    for (let index = 0; index < source.length; index++) {
      const takes = options.filter?.takes(source, index) ?? true;
      const standing = takes || guard ? present.claim(source.nameAsLatin1(index)) : undefined;
      const entry = source.stat(index);
      if (!takes || !entry.isDirectory() || !standing?.isDirectory()) continue;
      const below = path.child(source.nameBytes(index));
      if (isKnown && !visits?.has(below.asLatin1())) continue;
      this.#push({ path: below, ticket: ticketOf(entry, standing), stat: entry, surveyed: isKnown });
    }
    const isChanged = present.hasStrangers && (await this.#remove(present.strangers(guard, this.#context.fail), path));
    if (isChanged && opened.pair && !options.dryRun && options.delete === 'after') {
      await native.copyFinish(copy, opened.pair);
    }
  }

  /**
   * A removal moves the directory's time, which is no difference between the two trees: it is put back.
   *
   * @returns whether there was anything to remove
   */
  async #remove(doomed: AsyncIterator<Doomed>, path: TreePath): Promise<boolean> {
    const { roots, options, deletions, stopped } = this.#context;
    const root = roots.destination;
    if (!root) return false;
    const bytes = path.bytes();
    const at = bytes.length === 0 ? '.' : bytes;
    const before = options.dryRun || options.delete === 'after' ? undefined : await root.stat(at);
    const isAny = await deletions.removeAll(doomed, stopped);
    if (before && isAny) await root.utimes(at, before.atimeNs, before.mtimeNs).catch(() => {});
    return isAny;
  }
}
