/**
 * Where a directory lies below the roots. A long path is in pieces: the directories far down share the pieces that lead to them, so that in a
 * chain of ten thousand directories none carries a megabyte of names (native/ops/tree_path.h).
 */

import { native } from '../native/load.js';
import type { NativePathPiece } from '../native/trees.js';
import { joinPath } from './report.js';

const NOTHING = Buffer.alloc(0);
const SEPARATOR = Buffer.from('/');
const SLASH = 0x2f;
/** Bytes. The kernel finds a path of this length in some fifty microseconds. */
const LONG = 1024;

export class TreePath {
  static readonly root = new TreePath(undefined, NOTHING);
  /** For native calls, beside `rest`. */
  readonly above: NativePathPiece | undefined;
  /** Below the last piece, or the root. */
  readonly rest: Buffer;
  /** What its subdirectories have above them, where it ends a piece. */
  #piece: NativePathPiece | undefined;
  #depth: number | undefined;

  private constructor(above: NativePathPiece | undefined, rest: Buffer) {
    this.above = above;
    this.rest = rest;
  }

  /** @param above nothing: a path that is not in pieces, whatever its length */
  static of(rest: Buffer, above?: NativePathPiece): TreePath {
    return new TreePath(above, rest);
  }

  /** @param name of one component */
  child(name: Buffer): TreePath {
    if (this.rest.length < LONG) return new TreePath(this.above, joinPath(this.rest, name));
    this.#piece ??= native.newPathPiece(this.above, this.rest);
    return new TreePath(this.#piece, name);
  }

  /** 0: the root. */
  get depth(): number {
    this.#depth ??= levels(this.bytes());
    return this.#depth;
  }

  /** All of it; empty for the root. Made anew, and long where the path is: only for what somebody is told of. */
  bytes(): Buffer {
    if (!this.above) return this.rest;
    return Buffer.concat([native.pathPieceText(this.above), SEPARATOR, this.rest]);
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

function levels(path: Buffer): number {
  if (path.length === 0) return 0;
  let levels = 1;
  for (const byte of path) if (byte === SLASH) levels++;
  return levels;
}
