/**
 * Files with several names: the first name to come is copied, every later one becomes a hard link to the copy, once that is complete. Only
 * files with more than one link are kept here, and only until all their names have come.
 *
 *   first claim ──▶ copying ──done()──▶ ready: links are made at once
 *                      │                  ▲
 *   later claims wait ─┘  failed(): the first that waits is copied instead
 */

import type { Stat } from '../dirfd/stat.js';
import type { Decision, Ticket } from '../native/trees.js';

/** An entry that is to be copied as the first of its names. */
export interface First {
  readonly key: string;
  readonly index: number;
  readonly path: Buffer;
}

/** One name of such a file, in a directory that is being copied. */
export interface Name<D> {
  readonly directory: D;
  readonly index: number;
  readonly path: Buffer;
  readonly decision: Decision;
  readonly stat: Stat;
  /** What stands at the destination under this name. */
  readonly present: Stat | undefined;
}

/** A name of a file that has several, not yet decided on. */
export interface Undecided {
  readonly index: number;
  readonly stat: Stat;
  readonly path: Buffer;
}

/** Where the file was copied to, below the destination. */
export interface FirstCopy {
  readonly path: Buffer;
  readonly ticket: Ticket;
}

interface Group<D> {
  first: FirstCopy | undefined;
  waiting: Name<D>[];
  /** Names of the file that have not come yet, those outside of the tree included. */
  missing: number;
}

export class HardLinks<D> {
  readonly #groups = new Map<string, Group<D>>();

  /** `'first'`: copy it, then say done() or failed(). A copy: link to it. Nothing: done() will return it later. */
  claim(key: string, links: number, name: Name<D>): 'first' | FirstCopy | undefined {
    const group = this.#groups.get(key);
    if (!group) {
      this.#groups.set(key, { first: undefined, waiting: [], missing: links - 1 });
      return 'first';
    }
    group.missing--;
    if (!group.first) {
      group.waiting.push(name);
      return undefined;
    }
    if (group.missing <= 0) this.#groups.delete(key);
    return group.first;
  }

  /** The names that have waited for this. */
  done(key: string, first: FirstCopy): readonly Name<D>[] {
    const group = this.#groups.get(key);
    if (!group) return [];
    const { waiting } = group;
    group.first = first;
    group.waiting = [];
    if (group.missing <= 0) this.#groups.delete(key);
    return waiting;
  }

  /** The name to be copied as the first instead, if any waits. */
  failed(key: string): Name<D> | undefined {
    const group = this.#groups.get(key);
    const next = group?.waiting.shift();
    if (!next) this.#groups.delete(key);
    return next;
  }
}

/** The same for all names of a file. */
export function linkKey(stat: Stat): string {
  return `${stat.mountId}:${stat.dev}:${stat.ino}`;
}
