/** What callers of a transaction give and get. */

import type { TextEncoding } from '../atomic/content.js';
import type { JsonSchema } from '../atomic/schema.js';
import type { ObservedOptions } from '../audit/observe.js';
import type { NotKept } from '../copy/report.js';
import type { RelativePath } from '../dirfd/path.js';
import type { Change } from './changes.js';
import type { Retention } from './history.js';
import type { TransactionProgress } from './progress.js';
import type { TransactionRoot, WaitOptions } from './site.js';

/** One directory, or several by names of the caller's choice. */
export type TransactionRoots = TransactionRoot | Readonly<Record<string, TransactionRoot>>;

/** A path in the only root, or in the one of that name. */
export type TransactionPath = RelativePath | { readonly root: string; readonly path: RelativePath };

export interface TransactionOptions extends WaitOptions, ObservedOptions {
  /** Letters, digits, `.`, `_`, `-`; at most 100; not `lock`. Default: the time and a random number. */
  readonly transactionId?: string | undefined;
  /** A bar on standard error, where that is a terminal. Default false. */
  readonly showProgress?: boolean | undefined;
  readonly onProgress?: ((progress: TransactionProgress) => void) | undefined;
  /** Keep what was replaced and deleted, for `undo()`: all of it, or as much as the retention says. Default false. */
  readonly keepUndo?: boolean | Retention | undefined;
}

export interface WriteOptions {
  /** Exact permission bits. Default: those of the file that is replaced, or what the umask leaves of 0o666. */
  readonly mode?: number | string | undefined;
  /** Refuse to replace a file. Default false. */
  readonly createOnly?: boolean | undefined;
  /** Make missing directories above. Default false. */
  readonly parents?: boolean | undefined;
  /** Of text. Default `'utf-8'`. */
  readonly encoding?: TextEncoding | undefined;
}

export interface WriteValueOptions extends WriteOptions {
  /** JSON Schema that the value must satisfy; else a ContentError names the JSON pointer. */
  readonly schema?: JsonSchema | undefined;
  /** Of JSON, in spaces. Default 2. */
  readonly indent?: number | undefined;
}

export interface ReplaceOptions {
  /** Take the place of what has the name already, which must be of the same sort. Default false: a ValidationError. */
  readonly replace?: boolean | undefined;
}

/** What a commit did. */
export interface CommitReport {
  readonly id: string;
  readonly changes: readonly Change[];
  /** Content written, in bytes. */
  readonly bytes: number;
  /** Metadata of copied trees that could not be kept. */
  readonly notKept: readonly NotKept[];
}
