/** Directories of a tree in which files are exchanged for others with the same content: afterwards they are as they were, times included. */

import { randomBytes } from 'node:crypto';
import type { DirectoryFd } from '../dirfd/directory-fd.js';
import type { Stat } from '../dirfd/stat.js';

const WRITABLE = 0o300;

export class EditedDirectories {
  readonly #root: DirectoryFd;
  /** By path, one byte a character. */
  readonly #before = new Map<string, Promise<Stat>>();

  constructor(root: DirectoryFd) {
    this.#root = root;
  }

  /** Before the first change to the directory that holds `path`. One that its owner may not write to is opened to him. */
  async enter(path: Buffer): Promise<void> {
    await this.#enterOnce(parentOf(path));
  }

  async enterRoot(): Promise<void> {
    await this.#enterOnce('.');
  }

  /** Gives `path` to another name's file, in one step. */
  async link(from: DirectoryFd, existing: Buffer, path: Buffer): Promise<void> {
    const temporary = Buffer.from(`${parentOf(path)}/.dirfd-${randomBytes(8).toString('hex')}`, 'latin1');
    await from.link(existing, this.#root, temporary);
    await this.#root.rename(temporary, path);
  }

  /** After the last change. */
  async leave(): Promise<void> {
    // The deepest first: a directory's own mode may keep others from being reached.
    const paths = [...this.#before.keys()].sort((a, b) => b.length - a.length);
    for (const path of paths) {
      const { mode, atimeNs, mtimeNs } = (await this.#before.get(path)) as Stat;
      const bytes = Buffer.from(path, 'latin1');
      await this.#root.utimes(bytes, atimeNs, mtimeNs);
      if ((mode & WRITABLE) !== WRITABLE) await this.#root.chmod(bytes, mode & 0o7777);
    }
  }

  async #enterOnce(directory: string): Promise<void> {
    const entered = this.#before.get(directory) ?? this.#enter(Buffer.from(directory, 'latin1'));
    this.#before.set(directory, entered);
    await entered;
  }

  async #enter(directory: Buffer): Promise<Stat> {
    const stat = await this.#root.stat(directory);
    if ((stat.mode & WRITABLE) !== WRITABLE) await this.#root.chmod(directory, (stat.mode & 0o7777) | WRITABLE);
    return stat;
  }
}

function parentOf(path: Buffer): string {
  const text = path.toString('latin1');
  const slash = text.lastIndexOf('/');
  return slash < 0 ? '.' : text.slice(0, slash);
}
