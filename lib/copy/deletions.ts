/** What `delete` removes: told, counted against `maxDelete`, and gone; in a dry run told and counted only. */

import type { DirectoryFd } from '../dirfd/directory-fd.js';
import type { Stat } from '../dirfd/stat.js';
import type { NativeJob } from '../native/surface.js';
import { walk } from '../walk/walk.js';
import type { Refusal } from './decide.js';
import type { Itemizer } from './itemizer.js';
import type { TreeCopyRoots } from './native-copy.js';
import type { Settled } from './options.js';
import type { ProblemEvent, ReportBuilder } from './report.js';
import { type Doomed, removeStanding } from './standing.js';

const LIMIT: Refusal = { code: 'ERR_DIRFD_DELETE_LIMIT', why: 'maxDelete allows to remove no more' };

/** A removal takes less time than its way to a worker thread and back. */
const AT_A_TIME = 64;

export interface DeletionContext {
  readonly roots: TreeCopyRoots;
  readonly options: Settled;
  readonly report: ReportBuilder;
  readonly itemizer: Itemizer;
  readonly job: NativeJob;
  readonly tell: (event: ProblemEvent) => void;
  readonly fail: (failure: unknown, path: Buffer) => void;
}

export class Deletions {
  readonly #context: DeletionContext;
  /** Entries that may still go. */
  #left: number;
  /** What is counted against the limit is counted one after the other. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(context: DeletionContext) {
    this.#context = context;
    this.#left = context.options.maxDelete;
  }

  /**
   * Some at a time, until there is nothing left: whoever calls it for the same ones as well shares them.
   *
   * @returns whether there was anything
   */
  async removeAll(doomed: AsyncIterator<Doomed>, stopped: () => boolean): Promise<boolean> {
    for (let isAny = false; ; isAny = true) {
      const some: Doomed[] = [];
      while (some.length < AT_A_TIME) {
        const next = await doomed.next();
        if (next.done) break;
        some.push(next.value);
      }
      if (some.length === 0 || stopped()) return isAny;
      await this.#remove(some);
    }
  }

  async #remove(some: readonly Doomed[]): Promise<void> {
    const { roots, options, report, itemizer, job, fail } = this.#context;
    const root = roots.destination;
    if (!root) return;
    const admitted: Buffer[] = [];
    for (const { path, stat } of some) {
      if (!(await this.admits(path, stat))) continue;
      itemizer.deleted(stat.kind, path);
      if (!options.dryRun) admitted.push(path);
      else await this.#foretell(root, path, stat);
    }
    if (admitted.length === 0) return;
    await removeStanding({ source: roots.source, destination: root }, admitted, {
      ...{ job, report, fail },
      keepGoing: options.onError === 'continue',
    });
  }

  async #foretell(root: DirectoryFd, path: Buffer, stat: Stat): Promise<void> {
    const { report, fail } = this.#context;
    try {
      report.countDeleted(await entriesIn(root, path, stat));
    } catch (error) {
      fail(error, path);
    }
  }

  /** Whether a tree may go, whole. Where it may not, nothing larger than what is left goes after it either, and the report says so. */
  async admits(path: Buffer, stat: Stat): Promise<boolean> {
    const { roots, options, report, tell, fail } = this.#context;
    const root = roots.destination;
    if (options.maxDelete === Number.POSITIVE_INFINITY || !root) return true;
    const turn = this.#turn.then(async () => {
      const entries = await entriesIn(root, path, stat);
      if (entries > this.#left) {
        tell(report.refuse(LIMIT, path, 'delete'));
        return false;
      }
      this.#left -= entries;
      return true;
    });
    const answer = turn.catch((error: unknown) => {
      fail(error, path);
      return false;
    });
    this.#turn = answer;
    return await answer;
  }
}

/** An entry, and all that lies below it. */
async function entriesIn(root: DirectoryFd, path: Buffer, stat: Stat): Promise<number> {
  if (!stat.isDirectory()) return 1;
  let entries = 1;
  await using directory = await root.openDirectory(path);
  for await (const batch of walk(directory).batches()) entries += batch.length;
  return entries;
}
