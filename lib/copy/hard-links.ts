/**
 * Files with several names: the first name to come is copied, every later one becomes a hard link to the copy, once that is complete. Only
 * files with more than one link are kept here, and only until all their names have come.
 *
 *   first claim ──▶ copying ──done()──▶ ready: links are made at once
 *                      │                  ▲
 *   later claims wait ─┘  failed(): the first that waits is copied instead
 */

import type { Stat } from '../dirfd/stat.js';
import { type Decision, TICKET, type Ticket } from '../native/trees.js';

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

/** A file whose first name is being copied: as many as are copied at a time. */
interface Group<D> {
  readonly waiting: Name<D>[];
  /** Names of the file that have not come yet, those outside of the tree included. */
  missing: number;
}

export class HardLinks<D> {
  readonly #copying = new Map<string, Group<D>>();
  /**
   * Copied, with names yet to come: of a million files whose other names lie at the far end of the tree, all at one time. So each is one flat
   * string of bytes, ticket and path, and only files of three names and more have a count of their own.
   */
  readonly #ready = new Map<string, string>();
  readonly #missing = new Map<string, number>();

  /** `'first'`: copy it, then say done() or failed(). A copy: link to it. Nothing: done() will return it later. */
  claim(key: string, links: number, name: Name<D>): 'first' | FirstCopy | undefined {
    const ready = this.#ready.get(key);
    if (ready !== undefined) {
      this.#countDown(key);
      return unpacked(ready);
    }
    const group = this.#copying.get(key);
    if (!group) {
      this.#copying.set(key, { waiting: [], missing: links - 1 });
      return 'first';
    }
    group.missing--;
    group.waiting.push(name);
    return undefined;
  }

  /** The names that have waited for this. */
  done(key: string, first: FirstCopy): readonly Name<D>[] {
    const group = this.#copying.get(key);
    if (!group) return [];
    this.#copying.delete(key);
    if (group.missing > 0) this.#ready.set(key, packed(first));
    if (group.missing > 1) this.#missing.set(key, group.missing);
    return group.waiting;
  }

  /** The name to be copied as the first instead, if any waits. */
  failed(key: string): Name<D> | undefined {
    const next = this.#copying.get(key)?.waiting.shift();
    if (!next) this.#copying.delete(key);
    return next;
  }

  #countDown(key: string): void {
    const missing = (this.#missing.get(key) ?? 1) - 1;
    if (missing > 1) this.#missing.set(key, missing);
    else this.#missing.delete(key);
    if (missing === 0) this.#ready.delete(key);
  }
}

const NO_TICKET = Buffer.alloc(TICKET);

/** By concat, because a sum of two strings would keep both. */
function packed({ ticket, path }: FirstCopy): string {
  return Buffer.concat([ticket.length === TICKET ? ticket : NO_TICKET, path]).toString('latin1');
}

function unpacked(bytes: string): FirstCopy {
  return { ticket: Buffer.from(bytes.slice(0, TICKET), 'latin1'), path: Buffer.from(bytes.slice(TICKET), 'latin1') };
}

/** The same for all names of a file. */
export function linkKey(stat: Stat): string {
  return `${stat.mountId}:${stat.dev}:${stat.ino}`;
}
