/** cp(), as fs.promises.cp. */

import { constants } from 'node:fs';
import type { PathLike } from './place.js';
import { refuseAsNode } from './refusals.js';
import { type CopyFilter, Tree } from './tree.js';

export interface CpOptions {
  /** Copy what symlinks of the source lead to, wherever that is, instead of the links. Only for trees that you trust. Default false. */
  readonly dereference?: boolean | undefined;
  /** With `force: false`, fail where something stands at the destination; else it is kept. Default false. */
  readonly errorOnExist?: boolean | undefined;
  /** Asked for every entry before it is looked at: false leaves it out, and all below it. */
  readonly filter?: CopyFilter | undefined;
  /** Replace files that stand at the destination. Default true. */
  readonly force?: boolean | undefined;
  /** `fs.constants.COPYFILE_*`: with COPYFILE_FICLONE_FORCE, fail where blocks cannot be shared. They are shared where they can be anyway. */
  readonly mode?: number | undefined;
  /** Keep access and modification times of files. Default false. */
  readonly preserveTimestamps?: boolean | undefined;
  /** Copy directories with all they hold. Default false. */
  readonly recursive?: boolean | undefined;
  /** Copy the targets of symlinks as they are; else relative ones are made absolute. Default false. */
  readonly verbatimSymlinks?: boolean | undefined;
}

/**
 * Copies a file, a symlink or a directory, as `fs.promises.cp` does: same options, same error codes. Below `src` and `dest` every directory is
 * held open, so nothing that others do to the paths meanwhile leads it astray.
 *
 * @throws FsError ERR_FS_EISDIR, ERR_FS_CP_EINVAL, ERR_FS_CP_EEXIST, ERR_FS_CP_DIR_TO_NON_DIR, ERR_FS_CP_NON_DIR_TO_DIR,
 *   ERR_FS_CP_FIFO_PIPE, ERR_FS_CP_SOCKET, ERR_FS_CP_UNKNOWN, ERR_FS_CP_SYMLINK_TO_SUBDIRECTORY, or an errno's name
 */
export async function cp(src: PathLike, dest: PathLike, options: CpOptions = {}): Promise<void> {
  check(options);
  const { force = true, errorOnExist = false, mode = 0 } = options;
  const tree = new Tree({
    dereference: options.dereference ?? false,
    existing: force ? 'replace' : errorOnExist ? 'error' : 'keep',
    recursive: options.recursive ?? false,
    absoluteLinks: !(options.verbatimSymlinks ?? false),
    filter: options.filter,
    preserveTimestamps: options.preserveTimestamps ?? false,
    reflink: mode & constants.COPYFILE_FICLONE_FORCE ? 'always' : 'auto',
    refuse: refuseAsNode,
  });
  await tree.copy(src, dest);
}

const BOOLEANS = [
  'dereference',
  'errorOnExist',
  'force',
  'preserveTimestamps',
  'recursive',
  'verbatimSymlinks',
] as const;
const MODES = constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE | constants.COPYFILE_FICLONE_FORCE;

/** With the codes of Node's own checks. */
function check(options: CpOptions): void {
  if (typeof options !== 'object' || options === null) throw wrongType('options', 'an object');
  for (const name of BOOLEANS) {
    const value = options[name];
    if (value !== undefined && typeof value !== 'boolean') throw wrongType(`options.${name}`, 'a boolean');
  }
  const { mode, filter, dereference, verbatimSymlinks } = options;
  if (filter !== undefined && typeof filter !== 'function') throw wrongType('options.filter', 'a function');
  if (mode !== undefined && typeof mode !== 'number') throw wrongType('options.mode', 'a number');
  if (mode !== undefined && (!Number.isInteger(mode) || mode < 0 || mode > MODES)) {
    throw Object.assign(new RangeError(`options.mode must be from 0 to ${MODES}, not ${mode}`), {
      code: 'ERR_OUT_OF_RANGE',
    });
  }
  if (dereference && verbatimSymlinks) {
    throw Object.assign(new TypeError('options dereference and verbatimSymlinks cannot be used together'), {
      code: 'ERR_INCOMPATIBLE_OPTION_PAIR',
    });
  }
}

function wrongType(name: string, expected: string): TypeError {
  return Object.assign(new TypeError(`${name} must be ${expected}`), { code: 'ERR_INVALID_ARG_TYPE' });
}
