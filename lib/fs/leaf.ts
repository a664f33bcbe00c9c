/** One entry that is no directory, copied from one held directory into another by the native engine: complete under its name, or not there at all. */

import { newNativeCopy } from '../copy/native-copy.js';
import type { Settled } from '../copy/options.js';
import type { DirectoryFd } from '../dirfd/directory-fd.js';
import { PackedBatch } from '../dirfd/entries.js';
import { kindOfMode } from '../dirfd/kind.js';
import type { Stat } from '../dirfd/stat.js';
import { FsError, ownError, toFsError } from '../errors.js';
import { native } from '../native/load.js';
import { ASPECTS, DECISION, type NativeCopy } from '../native/trees.js';

const ENTRY = ASPECTS.indexOf('entry');
const VANISHED = ASPECTS.indexOf('vanished');

/** Two directories; ended when the copy is done. */
export class Leaf {
  readonly #source: DirectoryFd;
  readonly #copy: NativeCopy;

  constructor(source: DirectoryFd, destination: DirectoryFd, settled: Settled) {
    this.#source = source;
    this.#copy = newNativeCopy({ source, destination }, settled, native.newJob());
  }

  /**
   * @param seen what it was when it was looked at: what has become another kind since is refused
   * @param replace what stands there, which is no directory, gives way in one step; else nothing may stand there
   * @returns what of its metadata could not be kept
   * @throws FsError EEXIST, ENOENT, ERR_DIRFD_CHANGED, ERR_DIRFD_TORN, …
   */
  async copy(name: Buffer, seen: Stat, to: Buffer, replace: boolean): Promise<readonly FsError[]> {
    const subject = { verb: 'cp', path: name, directory: this.#source.path, dest: to };
    try {
      const { pair, source } = await native.copySingle(this.#copy, name, to);
      if (new PackedBatch(source).kind(0) !== kindOfMode(seen.mode)) {
        throw ownError('ERR_DIRFD_CHANGED', 'the entry is no longer the one that was looked at', subject);
      }
      const decision = Uint8Array.of(replace ? DECISION.replace : DECISION.create);
      const { problems = [] } = await native.copyApply(this.#copy, pair, 0, 1, decision);
      const failed = problems.find(({ aspect }) => aspect === ENTRY || aspect === VANISHED);
      if (failed) throw failed;
      return problems.map((problem) => toFsError(problem, native.callNames, subject) as FsError);
    } catch (thrown) {
      throw thrown instanceof FsError ? thrown : toFsError(thrown, native.callNames, subject);
    }
  }

  /** Lets go of both directories. */
  end(): void {
    native.endCopy(this.#copy);
  }
}
