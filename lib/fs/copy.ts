/** copy(), as fs-extra has it. */

import type { PathLike } from './place.js';
import { refuseAsExtra } from './refusals.js';
import { type CopyFilter, Tree } from './tree.js';

export interface FsCopyOptions {
  /** Copy what symlinks of the source lead to, wherever that is. Only for trees that you trust. Default false. */
  readonly dereference?: boolean | undefined;
  /** Replace files that stand at the destination. Default true. */
  readonly overwrite?: boolean | undefined;
  /** The older name of `overwrite`. */
  readonly clobber?: boolean | undefined;
  /** With `overwrite: false`, fail where something stands at the destination; else it is kept. Default false. */
  readonly errorOnExist?: boolean | undefined;
  /** Keep access and modification times of files. Default false. */
  readonly preserveTimestamps?: boolean | undefined;
  /** Asked for every entry: false leaves it out, and all below it. */
  readonly filter?: CopyFilter | undefined;
}

/**
 * Copies a file, a symlink or a directory with all it holds, as fs-extra's `copy`: the directories above `dest` are made, links are copied as
 * they are. Errors have fs-extra's messages, and a code besides.
 */
export async function copy(src: PathLike, dest: PathLike, options: FsCopyOptions = {}): Promise<void> {
  const { overwrite = options.clobber ?? true, errorOnExist = false } = options;
  const tree = new Tree({
    dereference: options.dereference ?? false,
    existing: overwrite ? 'replace' : errorOnExist ? 'error' : 'keep',
    recursive: true,
    absoluteLinks: false,
    filter: options.filter,
    preserveTimestamps: options.preserveTimestamps ?? false,
    reflink: 'auto',
    refuse: refuseAsExtra,
  });
  await tree.copy(src, dest);
}
