/**
 * What stands at the destination in one directory, what of it `delete` may remove, and how it goes. What the filters leave out is not the copy's to
 * delete: a directory that holds some of it stays, and only the rest goes.
 */

import type { DirectoryFd } from '../dirfd/directory-fd.js';
import { INTERNAL } from '../dirfd/fd.js';
import type { Stat } from '../dirfd/stat.js';
import { native } from '../native/load.js';
import type { NativeJob } from '../native/surface.js';
import type { ReportBuilder } from './report.js';
import { Listing, type TreeFilter } from './tree-filter.js';
import { TreePath } from './tree-path.js';

/** Something to be removed, with all that it holds. */
export interface Doomed {
  readonly path: Buffer;
  readonly stat: Stat;
}

/** Told of a directory that cannot be listed: it stays. */
type Fail = (failure: unknown, path: Buffer) => void;

export class Present {
  readonly #listing: Listing | undefined;
  /** Indices by name, a character a byte. */
  readonly #entries = new Map<string, number>();
  /** By index: the source has the name too. */
  readonly #claimed: Uint8Array;
  #unclaimed: number;
  /** Could not be stat'ed, and so not be judged. */
  readonly #unseen = new Map<string, number>();

  /** @param packed its listing, where it has been listed */
  constructor(packed: Buffer | undefined, root: DirectoryFd | undefined, path: TreePath) {
    const listing = packed && root && new Listing(packed, root, path);
    this.#listing = listing;
    for (let index = 0; listing && index < listing.length; index++) {
      const known = listing.isError(index) ? this.#unseen : this.#entries;
      known.set(listing.nameAsLatin1(index), index);
    }
    this.#claimed = new Uint8Array(listing?.length ?? 0);
    this.#unclaimed = this.#entries.size;
  }

  /** What stands under a name that the source has too: nothing to delete. */
  claim(name: string): Stat | undefined {
    this.#unseen.delete(name);
    const index = this.#entries.get(name);
    if (index === undefined) return undefined;
    if (!this.#claimed[index]) this.#unclaimed--;
    this.#claimed[index] = 1;
    return this.#listing?.stat(index);
  }

  /** Whether {@link strangers} has anything to look at. */
  get hasStrangers(): boolean {
    return this.#unseen.size > 0 || this.#unclaimed > 0;
  }

  /**
   * What nobody has claimed, as far as `guard` lets it go; one after the other, for there may be a million of them. What could not be stat'ed
   * stays, and is told.
   */
  async *strangers(guard: TreeFilter | undefined, fail: Fail): AsyncGenerator<Doomed, void> {
    const listing = this.#listing;
    if (!listing) return;
    for (const index of this.#unseen.values()) tellUnseen(guard, listing, index, fail);
    for (const index of this.#entries.values()) {
      if (this.#claimed[index]) continue;
      if (!guard) yield { path: listing.pathBytes(index), stat: listing.stat(index) };
      else yield* (await removable(guard, listing, index, fail)).parts;
    }
  }

  /** Whether nothing in a tree is protected. */
  async mayGo(name: string, guard: TreeFilter | undefined, fail: Fail): Promise<boolean> {
    const index = this.#entries.get(name);
    if (!guard || !this.#listing || index === undefined) return true;
    return (await removable(guard, this.#listing, index, fail)).whole;
  }
}

interface Removable {
  /** All of it: `parts` is the entry itself. */
  readonly whole: boolean;
  /** Else the largest trees below it that hold nothing protected. */
  readonly parts: readonly Doomed[];
}

const NUL = Buffer.of(0);
const NOTHING: Removable = { whole: false, parts: [] };

/** @param mountId of the directory that the entry lies in, where that is known */
async function removable(
  guard: TreeFilter,
  listing: Listing,
  index: number,
  fail: Fail,
  mountId?: bigint,
): Promise<Removable> {
  if (!guard.takes(listing, index)) return NOTHING;
  const entry: Doomed = { path: listing.pathBytes(index), stat: listing.stat(index) };
  const all: Removable = { whole: true, parts: [entry] };
  // What is mounted there is not entered: to remove it is refused later (EXDEV), and told.
  const isMountPoint = mountId !== undefined && mountId !== entry.stat.mountId;
  if (!entry.stat.isDirectory() || isMountPoint) return all;
  const below = await list(listing.context.root, entry.path, fail);
  if (!below) return NOTHING;
  const parts: Doomed[] = [];
  let whole = true;
  for (let at = 0; at < below.length; at++) {
    if (below.isError(at)) {
      tellUnseen(guard, below, at, fail);
      whole = false;
      continue;
    }
    const found = await removable(guard, below, at, fail, entry.stat.mountId);
    whole &&= found.whole;
    parts.push(...found.parts);
  }
  return whole ? all : { whole, parts };
}

/** What could not be stat'ed stays, and what it lies in. */
function tellUnseen(guard: TreeFilter | undefined, listing: Listing, index: number, fail: Fail): void {
  if (guard?.takes(listing, index) ?? true) {
    fail({ ...listing.failure(index), subject: 2 }, listing.pathBytes(index));
  }
}

async function list(root: DirectoryFd, path: Buffer, fail: Fail): Promise<Listing | undefined> {
  try {
    return new Listing(await native.list(root[INTERNAL].handle, path, true), root, TreePath.of(path));
  } catch (failure) {
    fail({ ...(failure as object), subject: 2 }, path);
    return undefined;
  }
}

/** Removes what the source does not have. What is mounted there is somebody else's tree: EXDEV, and it stays. So does the source itself. */
export async function removeStanding(
  { source, destination }: { readonly source: DirectoryFd; readonly destination: DirectoryFd },
  paths: readonly Buffer[],
  { job, report, fail, keepGoing }: { job: NativeJob; report: ReportBuilder; fail: Fail; keepGoing: boolean },
): Promise<void> {
  const packed = Buffer.concat(paths.flatMap((path) => [path, NUL]));
  const [from, spared] = [destination[INTERNAL].handle, source[INTERNAL].handle];
  try {
    const removed = await native.removeTrees(from, packed, job, spared, keepGoing);
    report.countDeleted(removed.entries);
    for (const failure of removed.failures) fail({ ...failure, subject: 2 }, failure.path);
  } catch (failure) {
    for (const path of paths) fail(failure, path);
  }
}
