/**
 * .gitignore files, as git reads them: patterns are relative to their file's directory, the last that matches decides, deeper files come
 * before those above them. Nothing below an excluded directory can be taken back: a walk does not enter it.
 */

import type { WalkBatch } from './batch.js';
import { IgnoreFile } from './ignore-file.js';

export class GitIgnore {
  /** By directory, the root's is ''; in latin1, for two names that are not UTF-8 may look alike as text. */
  readonly #files = new Map<string, IgnoreFile>();
  /** The directory that was asked about last: its entries come one after the other. */
  #batch: WalkBatch | undefined;
  #directory = -1;
  #path = '';
  #file: IgnoreFile | undefined;

  /** Takes a directory's own file, its path and text in latin1. It comes before the directory's entries. */
  add(directory: string, text: string): void {
    const above = directory === '' ? undefined : this.#fileFor(parentOf(directory));
    this.#files.set(directory, new IgnoreFile(directory, text, above));
    this.#batch = undefined;
  }

  excludes(batch: WalkBatch, index: number, isDirectory: boolean): boolean {
    const name = batch.nameAsLatin1(index);
    // Never part of what a repository holds, whatever the patterns say.
    if (name === '.git') return true;
    this.#turnTo(batch, batch.directoryOf(index));
    const path = this.#path === '' ? name : `${this.#path}/${name}`;
    for (let file = this.#file; file !== undefined; file = file.above) {
      const excluded = file.excludes(name, path, isDirectory);
      if (excluded !== undefined) return excluded;
    }
    return false;
  }

  #turnTo(batch: WalkBatch, directory: number): void {
    if (this.#batch === batch && this.#directory === directory) return;
    this.#batch = batch;
    this.#directory = directory;
    this.#path = batch.directoryPathAsLatin1(directory);
    this.#file = this.#fileFor(this.#path);
  }

  /** A directory without a file has that of the nearest one above. */
  #fileFor(directory: string): IgnoreFile | undefined {
    for (let at = directory; ; at = parentOf(at)) {
      const file = this.#files.get(at);
      if (file !== undefined || at === '') return file;
    }
  }
}

function parentOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '' : path.slice(0, slash);
}
