/**
 * dirfd: directories held by file descriptor. The public names, and where they live:
 *
 *   DirectoryFd, FileFd, Stat   lib/dirfd/   one handle; every verb is relative to it and follows no symlink
 *   walk                        lib/walk/    a tree as a stream of entries, one statx each
 *   copyTree, verifyTree        lib/copy/    trees copied and compared, with all metadata
 *   FsError                     lib/errors.ts
 *   capabilities                lib/capabilities.ts   what this kernel and container allow
 */

export { type Capabilities, type Capability, capabilities } from './capabilities.js';
export type { CopyEntryEvent, CopyEvent } from './copy/events.js';
export { type CopyJob, copyTree } from './copy/job.js';
export type { IdMap, KeepRuleOptions, OwnerMap } from './copy/keep-rules.js';
export type { Choice, CopyOptions } from './copy/options.js';
export { removeTree } from './copy/remove.js';
export type { Aspect, CopyFailure, CopyReport, NotKept, ProblemEvent } from './copy/report.js';
export type { TreeRoot } from './copy/roots.js';
export type { TreeFilterOptions } from './copy/tree-filter.js';
export type { TreeProgress } from './copy/tree-job.js';
export {
  type Difference,
  diffTree,
  type VerifyEvent,
  type VerifyJob,
  type VerifyOptions,
  type VerifyReport,
  verifyTree,
} from './copy/verify.js';
export type { StatFs } from './dirfd/directory-attributes.js';
export {
  DirectoryFd,
  type OpenDirectoryOptions,
  type OpenFileOptions,
  type ReaddirOptions,
  type Resolution,
  type WriteWholeFileOptions,
} from './dirfd/directory-fd.js';
export type { MkdirOptions, ReadlinkOptions, RenameOptions } from './dirfd/directory-names.js';
export { DirectoryEntry, NamedEntry } from './dirfd/entries.js';
export type { SignalOptions } from './dirfd/fd.js';
export {
  type AllocateOptions,
  type CopyRangeOptions,
  FileFd,
  type LinkIntoOptions,
  type ReadFileOptions,
  type ReadOptions,
  type Whence,
  type WriteFileOptions,
} from './dirfd/file-fd.js';
export type { LockOptions } from './dirfd/file-lock.js';
export type { ReadStreamOptions, WriteStreamOptions } from './dirfd/file-streams.js';
export type { HasKind, Kind } from './dirfd/kind.js';
export type { RelativePath } from './dirfd/path.js';
export type { RemoveOptions, RemoveReport } from './dirfd/remove-tree.js';
export { Stat } from './dirfd/stat.js';
export type { TimeInput } from './dirfd/times.js';
export type { SetXattrOptions } from './dirfd/xattrs.js';
export { FsError, type FsErrorFields, type OperationCode, type OwnCode } from './errors.js';
export type { Engine } from './native/engine.js';
export { EntryBatch } from './walk/batch.js';
export { Entry, type EntryEvent } from './walk/entry.js';
export type { FilterDecision, NameOf, WalkEncoding, WalkOptions, WalkOrder, WalkStatistics } from './walk/options.js';
export type { WalkRoot } from './walk/run.js';
export { Walk, type WalkProgress, walk } from './walk/walk.js';
