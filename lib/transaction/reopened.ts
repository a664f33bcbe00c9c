/** The roots of a transaction, found again by what its log says: each where it was, and the same inode. The one that the caller has open may have moved. */

import { closeAll } from '../dirfd/close-all.js';
import { FsError } from '../errors.js';
import { operationError, StateError } from '../operation-errors.js';
import type { Story } from './journal.js';
import type { RootRecord } from './records.js';
import { Site } from './site.js';

export class Reopened implements AsyncDisposable {
  readonly sites: readonly Site[];
  /** Closed by whoever has opened it. */
  readonly #opened: Site;

  private constructor(sites: readonly Site[], opened: Site) {
    this.sites = sites;
    this.#opened = opened;
  }

  /**
   * @param opened one of them, which stays the caller's; other roots than in the log are copies, see {@link isAmong}
   * @throws StateError where one is missing
   */
  static async all(roots: readonly RootRecord[], opened: Site, id: string): Promise<Reopened> {
    return Reopened.found(roots, opened, (root) => reopen(root, id));
  }

  /** Those that are where they were. */
  static async present(roots: readonly RootRecord[], opened: Site, id: string): Promise<Reopened> {
    return Reopened.found(roots, opened, (root) => reopen(root, id).catch(() => undefined));
  }

  /** All but those that are gone. @throws StateError where one cannot be opened for another reason: it may come back */
  static async left(roots: readonly RootRecord[], opened: Site, id: string): Promise<Reopened> {
    return Reopened.found(roots, opened, async (root) => {
      const site = await reopenIfThere(root, id, true);
      return site === 'gone' ? undefined : site;
    });
  }

  private static async found(
    roots: readonly RootRecord[],
    opened: Site,
    open: (root: RootRecord) => Promise<Site | undefined>,
  ): Promise<Reopened> {
    const sites: Site[] = [];
    try {
      for (const root of roots) {
        const site = isThe(root, opened) ? opened : await open(root);
        if (site) sites.push(site);
      }
      return new Reopened(sites, opened);
    } catch (error) {
      await new Reopened(sites, opened)[Symbol.asyncDispose]();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await closeAll(this.sites.filter((site) => site !== this.#opened));
  }
}

/** Whether a root is one of those in a log, and not a copy of one, or one that was restored from a backup. A log without roots has only its own. */
export function isAmong(roots: readonly RootRecord[], { record }: Site): boolean {
  return roots.length === 0 || roots.some((root) => isThe(root, { record }));
}

/** A root, where it was. @throws StateError */
export async function reopen(root: RootRecord, id: string): Promise<Site> {
  return (await openAgain(root, id, true)) as Site;
}

/** As {@link openAgain}; gone where it is not there, or another directory has its place. */
export async function reopenIfThere(...args: Parameters<typeof openAgain>): Promise<Site | 'gone' | undefined> {
  try {
    return await openAgain(...args);
  } catch (error) {
    const isGone = error instanceof StateError && (error.cause === undefined || isMissing(error.cause));
    if (isGone) return 'gone';
    throw error;
  }
}

/** @returns undefined where there is no trace of transactions any more, unless `create` */
export async function openAgain(root: RootRecord, id: string, create: boolean): Promise<Site | undefined> {
  const { path } = root;
  const missing = (cause?: unknown) => {
    const why = `a root of transaction ${id} is no longer where it was`;
    return operationError(StateError, 'ERR_DIRFD_RECOVERY', why, { verb: 'recover', path }, cause);
  };
  let site: Site | undefined;
  try {
    site = await Site.open(path, { create });
  } catch (error) {
    throw missing(error);
  }
  if (site === undefined || isThe(root, site)) return site;
  await site[Symbol.asyncDispose]();
  throw missing();
}

function isMissing(error: unknown): boolean {
  return error instanceof FsError && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}

/** Whether it is this root, and not another directory in its place. */
export function isThe({ ino, birth }: RootRecord, { record }: Pick<Site, 'record'>): boolean {
  return record.ino === ino && record.birth === birth;
}

/** What happens in these roots, numbered anew: in each root the steps go by themselves. */
export function partOf(story: Story, sites: readonly Site[]): Story {
  const places = story.roots.map((root) => sites.findIndex((site) => isThe(root, site)));
  const part = [...story.steps.entries()].filter(([, step]) => (places[step.root] as number) >= 0);
  const numbersOf = (numbers: ReadonlySet<number>) =>
    new Set(part.flatMap(([number], index) => (numbers.has(number) ? index : [])));
  return {
    ...story,
    steps: part.map(([, step]) => ({ ...step, root: places[step.root] as number })),
    inForce: numbersOf(story.inForce),
    goingBack: numbersOf(story.goingBack),
    trees: new Map(part.map(([number], index) => [index, story.trees.get(number) as string])),
  };
}
