/**
 * Files with several names: the first name to come is copied, every later one becomes a hard link to the copy, once that is complete. Who comes first
 * is told by one table for all of the copy (native/ops/link_table.h), for native code meets such names too. Here are those that wait.
 *
 *   first claim ──▶ copying ──done()──▶ ready: links are made at once
 *                      │                  ▲
 *   later claims wait ─┘  failed(): the first that waits is copied instead
 */

import type { Stat } from '../dirfd/stat.js';
import { native } from '../native/load.js';
import type { Decision, NativeCopy, NativeFirstCopy } from '../native/trees.js';

/** Mount, device and inode: the same for all names of a file. */
export type LinkKey = Buffer;

/** An entry that is to be copied as the first of its names. */
export interface First {
  readonly key: LinkKey;
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

export class HardLinks<D> {
  readonly #copy: NativeCopy;
  /** By file: as many as are copied at a time. */
  readonly #waiting = new Map<string, Name<D>[]>();

  constructor(copy: NativeCopy) {
    this.#copy = copy;
  }

  /** `'first'`: copy it, then say done() or failed(). A copy: link to it. Nothing: done() will return it later. */
  claim(key: LinkKey, links: number, name: Name<D>): 'first' | NativeFirstCopy | undefined {
    const claimed = native.claimName(this.#copy, key, links);
    if (claimed === true) return 'first';
    if (claimed) return claimed;
    const text = key.toString('latin1');
    const waiting = this.#waiting.get(text);
    if (waiting) waiting.push(name);
    else this.#waiting.set(text, [name]);
    return undefined;
  }

  /** The names that have waited for this. */
  done(key: LinkKey, first: NativeFirstCopy): readonly Name<D>[] {
    native.nameDone(this.#copy, key, first.path, first.ticket);
    const text = key.toString('latin1');
    const waiting = this.#waiting.get(text) ?? [];
    this.#waiting.delete(text);
    return waiting;
  }

  /** The name to be copied as the first instead, if any waits. */
  failed(key: LinkKey): Name<D> | undefined {
    const text = key.toString('latin1');
    const next = this.#waiting.get(text)?.shift();
    if (next) return next;
    this.#waiting.delete(text);
    native.nameLapsed(this.#copy, key);
    return undefined;
  }
}

export function linkKey(stat: Stat): LinkKey {
  return Buffer.from(BigUint64Array.of(stat.mountId, stat.dev, stat.ino).buffer);
}
