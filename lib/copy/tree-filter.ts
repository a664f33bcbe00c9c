/** Which entries a copy or a comparison is about: the filters of walk, asked a directory at a time. */

import type { DirectoryFd } from '../dirfd/directory-fd.js';
import { type ErrorSubject, FsError, ownError } from '../errors.js';
import { WalkBatch } from '../walk/batch.js';
import type { Entry } from '../walk/entry.js';
import { createJudge, needsFilter, REPORT, type Verdict } from '../walk/filter.js';
import { GitIgnore } from '../walk/gitignore.js';
import type { FilterDecision } from '../walk/options.js';
import type { TreePath } from './tree-path.js';

export interface TreeFilterOptions {
  /**
   * Globs, as in walk; of what is no directory, only what matches one of them takes part. Directories do where something below them may.
   * Default: everything.
   */
  readonly include?: string | readonly string[] | undefined;
  /** Globs, as in walk; what matches takes no part, nor does anything below it. An excluded directory is not even opened. */
  readonly exclude?: string | readonly string[] | undefined;
  /** Leaves out what the source's .gitignore files exclude, as git does, and `.git` itself. Default false. */
  readonly gitignore?: boolean | undefined;
  /**
   * Asked once an entry, after globs and gitignore: `'include'`; `'skip'`, which leaves it out, but enters a directory; or `'prune'`. Of what
   * the source does not have, it is asked where `delete` would remove it. What it throws ends the work.
   */
  readonly filter?: ((entry: Entry) => FilterDecision) | undefined;
}

/** One directory's entries, as a batch of a walk: they all lie in the same place. */
export class Listing extends WalkBatch {
  readonly #path: TreePath;

  constructor(bytes: Buffer, root: DirectoryFd, path: TreePath) {
    super(bytes, { root, follow: false, buffers: false });
    this.#path = path;
  }

  override directoryOf(): number {
    return 0;
  }
  override directoryDepth(): number {
    return this.#path.depth + 1;
  }
  override directoryPath(): string {
    return this.#path.bytes().toString('utf8');
  }
  override directoryPathBytes(): Buffer {
    return this.#path.bytes();
  }
  override directoryPathAsLatin1(): string {
    return this.#path.asLatin1();
  }
}

const IGNORE_FILE = '.gitignore';
/** As in walk: what is larger is no list of patterns. */
const IGNORE_FILE_LIMIT = 1 << 20;
/** The file went, or is none that git would read. */
const NO_IGNORE_FILE = new Set(['ENOENT', 'ELOOP', 'EISDIR', 'ERR_DIRFD_NOT_REGULAR']);

/** The filters of one run. */
export class TreeFilter {
  readonly #gitignore: GitIgnore | undefined;
  readonly #judge: (batch: WalkBatch, index: number) => Verdict;

  private constructor(options: TreeFilterOptions, subject: ErrorSubject) {
    this.#gitignore = options.gitignore ? new GitIgnore() : undefined;
    this.#judge = createJudge(options, this.#gitignore, subject);
  }

  /** Undefined where everything takes part. */
  static from(options: TreeFilterOptions, subject: ErrorSubject): TreeFilter | undefined {
    return needsFilter(options) ? new TreeFilter(options, subject) : undefined;
  }

  /** Takes in the source directory's own ignore file. Before any of its entries is asked about, and after those above it. */
  async enter(source: Listing): Promise<void> {
    if (!this.#gitignore) return;
    for (let index = 0; index < source.length; index++) {
      if (source.nameAsLatin1(index) !== IGNORE_FILE || source.kind(index) !== 'file') continue;
      const text = await readIgnoreFile(source, index);
      if (text !== undefined) this.#gitignore.add(source.directoryPathAsLatin1(), text);
    }
  }

  /** Whether an entry takes part: is copied, or for a directory, made and entered. */
  takes(listing: Listing, index: number): boolean {
    const verdict = this.#judge(listing, index);
    // A directory that is entered for what is below must be there for it.
    return listing.kind(index) === 'directory' ? verdict !== 0 : (verdict & REPORT) !== 0;
  }
}

async function readIgnoreFile(source: Listing, index: number): Promise<string | undefined> {
  const path = source.pathBytes(index);
  const { root } = source.context;
  if (source.stat(index).exactSize > IGNORE_FILE_LIMIT) {
    const subject = { verb: 'read', path, directory: root.path };
    throw ownError('ERR_DIRFD_TOO_LARGE', 'a list of patterns has at most 1 MiB', subject);
  }
  try {
    return await root.readFile(path, 'latin1');
  } catch (error) {
    if (error instanceof FsError && NO_IGNORE_FILE.has(error.code)) return undefined;
    throw error;
  }
}
