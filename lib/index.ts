/**
 * dirfd: directories held by file descriptor. The public names, and where they live:
 *
 *   DirectoryFd, FileFd, Stat   lib/dirfd/   one handle; every verb is relative to it and follows no symlink
 *   walk                        lib/walk/    a tree as a stream of entries, one statx each
 *   copyTree, verifyTree        lib/copy/    trees copied and compared, with all metadata
 *   FsError                     lib/errors.ts
 *   capabilities                lib/capabilities.ts   what this kernel and container allow
 */

export { type Capabilities, capabilities } from './capabilities.js';
export { DirectoryFd, type OpenDirectoryOptions, type OpenFileOptions, type Resolution } from './dirfd/directory-fd.js';
export { DirectoryEntry } from './dirfd/entries.js';
export type { SignalOptions } from './dirfd/fd.js';
export { FileFd } from './dirfd/file-fd.js';
export type { RelativePath } from './dirfd/path.js';
export { type Kind, Stat } from './dirfd/stat.js';
export { FsError, type FsErrorFields, type OwnCode } from './errors.js';
