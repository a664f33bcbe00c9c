/**
 * Where a directory lies below the roots. A long path is in pieces: the directories far down share the pieces that lead to them, so that in a
 * chain of ten thousand directories none carries a megabyte of names (native/ops/tree_path.h).
 */

import { native } from '../native/load.js';
import type { NativePathPiece } from '../native/trees.js';
import { joinPath } from './report.js';

interface PathPiece {
  readonly above: PathPiece | undefined;
  readonly path: Buffer;
  /** Levels that it leads down from the root. */
  readonly depth: number;
  readonly native: NativePathPiece;
}

const NOTHING = Buffer.alloc(0);
const SLASH = 0x2f;
/** Bytes. The kernel finds a path of this length in some fifty microseconds. */
const LONG = 1024;

export class TreePath {
  static readonly root = new TreePath(undefined, NOTHING);
  readonly #above: PathPiece | undefined;
  /** Below the last piece, or the root. */
  readonly rest: Buffer;
  /** What its subdirectories have above them, where it ends a piece. */
  #piece: PathPiece | undefined;

  private constructor(above: PathPiece | undefined, rest: Buffer) {
    this.#above = above;
    this.rest = rest;
  }

  /** A path that is not in pieces, whatever its length. */
  static of(bytes: Buffer): TreePath {
    return new TreePath(undefined, bytes);
  }

  /** @param name of one component */
  child(name: Buffer): TreePath {
    if (this.rest.length < LONG) return new TreePath(this.#above, joinPath(this.rest, name));
    this.#piece ??= {
      ...{ above: this.#above, path: this.rest, depth: this.depth },
      native: native.newPathPiece(this.above, this.rest),
    };
    return new TreePath(this.#piece, name);
  }

  /** @param below any number of components; none is the directory itself */
  descendant(below: Buffer): TreePath {
    let at: TreePath = this;
    for (let from = 0; from < below.length; ) {
      const slash = below.indexOf(SLASH, from);
      const end = slash < 0 ? below.length : slash;
      // A copy: a view would hold the memory of all of it.
      at = at.child(Buffer.from(below.subarray(from, end)));
      from = end + 1;
    }
    return at;
  }

  /** For native calls, beside `rest`. */
  get above(): NativePathPiece | undefined {
    return this.#above?.native;
  }

  /** 0: the root. */
  get depth(): number {
    if (this.rest.length === 0) return 0;
    let depth = (this.#above?.depth ?? 0) + 1;
    for (const byte of this.rest) if (byte === SLASH) depth++;
    return depth;
  }

  /** All of it; empty for the root. Made anew, and long where the path is: only for what somebody is told of. */
  bytes(): Buffer {
    if (!this.#above) return this.rest;
    const pieces = [this.rest];
    for (let at: PathPiece | undefined = this.#above; at; at = at.above) pieces.push(SEPARATOR, at.path);
    return Buffer.concat(pieces.reverse());
  }

  /** An entry's path; of no name, the directory's own. */
  entry(name: Buffer): Buffer {
    return joinPath(this.bytes(), name);
  }

  /** The bytes as text, a character each, to look it up by. */
  asLatin1(): string {
    return this.bytes().toString('latin1');
  }
}

const SEPARATOR = Buffer.from('/');
