/**
 * dirfd/atomic: files replaced whole or not at all.
 *
 *   writeText, writeJson, …   write.ts      a whole file in one call
 *   AtomicWriter              writer.ts     content in pieces, then commit()
 *   updateJson, mergeConfig   update.ts merge.ts   rotate  rotate.ts
 *   readChunks, writeChunks   read.ts chunks.ts
 *   AtomicFileOperations, …   operations.ts   the same with a record of each
 *   checkContent              check.ts
 *   cleanupBackups            backup-copy.ts
 *   cleanupTemporaryFiles     temporary-files.ts
 *
 *   options.ts      what the options mean          target.ts    from paths to one name in a held directory
 *   replace.ts      the native call                failures.ts  which error, and whether to try again
 *   content.ts      text, JSON, YAML               schema.ts    JSON Schema
 */

export { getGlobalAuditTrail } from '../audit/global.js';
export type { AuditEntry, AuditSink, Logger, ObservedOptions, OperationFacts } from '../audit/observe.js';
export type { AuditSummaryRow } from '../audit/summary.js';
export {
  AtomicWriteError,
  ConflictError,
  ContentError,
  type ContentIssue,
  DurabilityError,
  FileSizeError,
  IntegrityError,
  LockTimeoutError,
  PathError,
  PermissionError,
  SafeOperationError,
  ValidationError,
} from '../operation-errors.js';
export { setGlobalAuditTrail } from './audit-file.js';
export { cleanupBackups } from './backup-copy.js';
export { checkContent } from './check.js';
export { type WriteChunksOptions, writeChunks } from './chunks.js';
export type { TextEncoding } from './content.js';
export { type MergeOptions, type MergeStrategy, mergeConfig } from './merge.js';
export {
  AtomicFileOperations,
  BatchOperation,
  safeFileRotation,
  writeConfigAtomically,
} from './operations.js';
export type { AtomicWriteOptions, Durability, RetryOptions, WriteProgress } from './options.js';
export { type Format, type ReadChunksOptions, readChunks } from './read.js';
export type { AtomicWriteResult, LostMetadata } from './replace.js';
export { type RotateOptions, type RotateResult, rotate } from './rotate.js';
export type { JsonSchema } from './schema.js';
export type { AtomicTarget } from './target.js';
export { cleanupTemporaryFiles } from './temporary-files.js';
export { type UpdateOptions, updateJson } from './update.js';
export {
  type WriteJsonOptions,
  type WriteTextOptions,
  writeBytes,
  writeFileAtomic,
  writeJson,
  writeText,
  writeYaml,
} from './write.js';
export { AtomicWriter, type Chunks } from './writer.js';
