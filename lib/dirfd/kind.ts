/** What a name stands for: the type in the mode, as a word and as node:fs's questions. */

import { constants } from 'node:fs';

/** What a directory entry is. */
export type Kind =
  | 'file'
  | 'directory'
  | 'symlink'
  | 'fifo'
  | 'socket'
  | 'character-device'
  | 'block-device'
  | 'unknown';

const KIND_OF_TYPE: Readonly<Record<number, Kind>> = {
  [constants.S_IFREG]: 'file',
  [constants.S_IFDIR]: 'directory',
  [constants.S_IFLNK]: 'symlink',
  [constants.S_IFIFO]: 'fifo',
  [constants.S_IFSOCK]: 'socket',
  [constants.S_IFCHR]: 'character-device',
  [constants.S_IFBLK]: 'block-device',
};

/** By the four bits of S_IFMT. Asked for more often than anything else, so an array. */
const KINDS = Array.from({ length: 16 }, (_, bits): Kind => KIND_OF_TYPE[bits << 12] ?? 'unknown');

/** The kind in a mode's type bits. */
export function kindOfMode(mode: number): Kind {
  return KINDS[(mode & constants.S_IFMT) >> 12] as Kind;
}

/** What stats and entries have in common: node:fs's questions, as Stats and Dirent have them. */
export abstract class HasKind {
  /** What it is, in a word. No symlink is followed for it. */
  abstract readonly kind: Kind;

  /** `kind` is 'file'. */
  isFile(): boolean {
    return this.kind === 'file';
  }
  /** `kind` is 'directory'. */
  isDirectory(): boolean {
    return this.kind === 'directory';
  }
  /** `kind` is 'symlink'. */
  isSymbolicLink(): boolean {
    return this.kind === 'symlink';
  }
  /** `kind` is 'fifo'. */
  isFIFO(): boolean {
    return this.kind === 'fifo';
  }
  /** `kind` is 'socket'. */
  isSocket(): boolean {
    return this.kind === 'socket';
  }
  /** `kind` is 'character-device'. */
  isCharacterDevice(): boolean {
    return this.kind === 'character-device';
  }
  /** `kind` is 'block-device'. */
  isBlockDevice(): boolean {
    return this.kind === 'block-device';
  }
}
