/**
 * dirfd/fs: the copies and removals that programs know from node:fs and fs-extra, through held directories.
 *
 *   cp                    cp.ts            as fs.promises.cp
 *   copy, move, remove    copy.ts …        as fs-extra
 *   ensureDir, emptyDir   directories.ts
 *
 *   tree.ts      the tree of cp and copy        directory-pair.ts, leaf.ts    files, by the native engine
 *   place.ts     from paths to held directories refusals.ts  the errors of both
 */

export { copy, type FsCopyOptions } from './copy.js';
export { type CpOptions, cp } from './cp.js';
export { type EnsureDirOptions, emptyDir, ensureDir } from './directories.js';
export { type MoveOptions, move } from './move.js';
export type { PathLike } from './place.js';
export { remove } from './remove.js';
export type { CopyFilter } from './tree.js';
