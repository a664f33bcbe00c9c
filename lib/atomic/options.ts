/** Options of atomic writes: what they mean, their defaults, and their form for native code. */

import type { ObservedOptions } from '../audit/observe.js';
import { checkSignal, type SignalOptions } from '../dirfd/fd.js';
import { toInteger, toMode } from '../dirfd/flags.js';
import { checkRelative, type RelativePath } from '../dirfd/path.js';
import { Stat } from '../dirfd/stat.js';
import { type ErrorSubject, ownError } from '../errors.js';
import { DURABILITIES, KEEP, type NativeExpected, type NativeReplaceOptions } from '../native/replace.js';
import type { JsonSchema } from './schema.js';

/**
 * What a crash of the machine may take away. `'full'`: nothing, once the call has returned. `'data'`: the change, but the name never leads
 * to missing or partial content. `'none'`: anything; readers still see the old file or the new one.
 */
export type Durability = (typeof DURABILITIES)[number];

/** When a failure is worth another try. */
export interface RetryOptions {
  /** Tries in all. Default 3; 1 never repeats. */
  readonly attempts?: number | undefined;
  /** Milliseconds before the second try; doubled for each further one. Default 10. */
  readonly delay?: number | undefined;
  /** Error codes that are worth it. Default EAGAIN, EBUSY, EINTR, EMFILE, ENFILE, ETXTBSY. A failed fsync never is. */
  readonly codes?: readonly string[] | undefined;
}

/** How far a write has come. */
export interface WriteProgress {
  /** Bytes written so far. */
  readonly bytes: number;
  /** Bytes in all, where that is known. */
  readonly total?: number | undefined;
}

/** How a file is replaced. */
export interface AtomicWriteOptions extends SignalOptions, ObservedOptions {
  /** Default `'full'`. */
  readonly durability?: Durability | undefined;
  /** Permission bits of the new file, exactly these, whatever the umask. Default: those of the file it replaces, else 0o666 less the umask. */
  readonly mode?: number | string | undefined;
  /**
   * Owner, group, mode, ACL and extended attributes of the file that is replaced: all of them or an error (true, the default), as far as
   * possible, with the rest listed in the result (`'try'`), or those of a new file (false). What new content must not inherit is never
   * kept: set-user-id, set-group-id and file capabilities, which write(2) takes away as well.
   */
  readonly keepMetadata?: boolean | 'try' | undefined;
  /** Fail with EEXIST where there is anything under the name. Default false. */
  readonly createOnly?: boolean | undefined;
  /**
   * A symlink in the last place: refused with ELOOP (default), replaced by the file, or followed as long as it leads to a file inside the
   * directory that was given, which is replaced then.
   */
  readonly symlinks?: 'refuse' | 'replace' | 'follow-beneath' | undefined;
  /** Other names of the old file keep the old content (`'break'`, default), or the write is refused with EMLINK. */
  readonly hardLinks?: 'break' | 'refuse' | undefined;
  /** Bytes at most; more fail with a FileSizeError, before they reach the disk. Default: no limit. */
  readonly maxSize?: number | undefined;
  /**
   * Keep the old file under another name, made before the change. True: `NAME.TIME.bak` beside it. A string: a path from the file's
   * directory, where `{name}` and `{time}` stand for those two. A write that fails takes back a backup with `{time}` only: under another name
   * it may be the one that somebody else's write has left. Default false.
   */
  readonly backup?: boolean | string | undefined;
  /** Read the new file back before it gets its name, and compare its SHA-256. Default false. */
  readonly verify?: boolean | undefined;
  /** The same as `verify`. */
  readonly verifyIntegrity?: boolean | undefined;
  /** A JSON Schema that writeJson's and writeYaml's data must match (draft-07, or 2019-09 and 2020-12 by its `$schema`). */
  readonly schema?: JsonSchema | undefined;
  /**
   * Replace only the file that was seen: its Stat, or its content's SHA-256 in hexadecimal. Anything else is a ConflictError. Compared at the
   * beginning and again right before the rename; against writers who may come between those two calls, take a lock.
   */
  readonly ifUnchanged?: Stat | { readonly sha256: string } | undefined;
  /** What is tried again, or how often in all. */
  readonly retry?: RetryOptions | number | undefined;
  /** Told after each piece that has been written. */
  readonly progress?: ((progress: WriteProgress) => void) | undefined;
  /** A progress bar on standard error, on a terminal, for content of more than 1 MiB. Default false. */
  readonly showProgress?: boolean | undefined;
}

/** Checked, with defaults. */
export interface ReplaceHow {
  readonly durability: Durability;
  readonly keep: number;
  readonly createOnly: boolean;
  readonly symlinks: 'refuse' | 'replace' | 'follow-beneath';
  readonly refuseHardLinks: boolean;
  readonly mode: number | undefined;
  readonly maxSize: number;
  readonly backup: string | undefined;
  readonly verify: boolean;
  readonly expected: Stat | string | undefined;
  readonly attempts: number;
  readonly delay: number;
  readonly codes: ReadonlySet<string>;
}

const TRANSIENT: ReadonlySet<string> = new Set(['EAGAIN', 'EBUSY', 'EINTR', 'EMFILE', 'ENFILE', 'ETXTBSY']);
const BACKUP = '{name}.{time}.bak';

/** @throws FsError ERR_DIRFD_INVALID_ARGUMENT for what is no option's value */
export function toReplaceHow(options: AtomicWriteOptions, subject: ErrorSubject): ReplaceHow {
  if (typeof options !== 'object' || options === null) throw invalid('the options must be an object', subject);
  checkSignal(options.signal, subject);
  const retry = typeof options.retry === 'number' ? { attempts: options.retry } : (options.retry ?? {});
  if (options.progress !== undefined && typeof options.progress !== 'function') {
    throw invalid('progress must be a function', subject);
  }
  return {
    durability: oneOf('durability', options.durability ?? 'full', DURABILITIES, subject),
    keep: toKeep(options.keepMetadata ?? true, subject),
    createOnly: toBoolean('createOnly', options.createOnly, subject),
    symlinks: oneOf('symlinks', options.symlinks ?? 'refuse', ['refuse', 'replace', 'follow-beneath'], subject),
    refuseHardLinks: oneOf('hardLinks', options.hardLinks ?? 'break', ['break', 'refuse'], subject) === 'refuse',
    mode: options.mode === undefined ? undefined : toMode(options.mode, subject),
    maxSize: options.maxSize === undefined ? Number.POSITIVE_INFINITY : toSize('maxSize', options.maxSize, subject),
    backup: toBackup(options.backup, subject),
    verify:
      toBoolean('verify', options.verify, subject) || toBoolean('verifyIntegrity', options.verifyIntegrity, subject),
    expected: toExpected(options.ifUnchanged, subject),
    attempts: toInteger(retry.attempts ?? 3, 'retry.attempts', 1, 1000, subject),
    delay: toInteger(retry.delay ?? 10, 'retry.delay', 0, 3_600_000, subject),
    codes: retry.codes ? new Set(retry.codes) : TRANSIENT,
  };
}

/** @param expected what the old file must be; @param backup a path from the directory, or none */
export function toNative(how: ReplaceHow, expected: Stat | undefined, backup: RelativePath | ''): NativeReplaceOptions {
  return [
    DURABILITIES.indexOf(how.durability),
    how.keep,
    how.createOnly,
    how.symlinks === 'replace',
    how.refuseHardLinks,
    how.mode ?? -1,
    backup,
    how.backup?.includes('{time}') === true,
    ...(expected ? nativeExpected(expected) : ([-1] as const)),
  ];
}

function nativeExpected({ mountId, ino, size, ctimeNs }: Stat): NativeExpected {
  const nanoseconds = ((ctimeNs % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  return [mountId, ino, size, (ctimeNs - nanoseconds) / 1_000_000_000n, Number(nanoseconds)];
}

/** A limit in bytes. */
export function toSize(what: string, value: number, subject: ErrorSubject): number {
  if (value === Number.POSITIVE_INFINITY) return value;
  return toInteger(value, what, 0, Number.MAX_SAFE_INTEGER, subject);
}

export function oneOf<T extends string>(what: string, value: T, choices: readonly T[], subject: ErrorSubject): T {
  if (choices.includes(value)) return value;
  throw invalid(`${what} is one of ${choices.join(', ')}, not '${String(value)}'`, subject);
}

function toBoolean(what: string, value: boolean | undefined, subject: ErrorSubject): boolean {
  if (value === undefined || typeof value === 'boolean') return value === true;
  throw invalid(`${what} must be a boolean`, subject);
}

function toKeep(value: boolean | 'try', subject: ErrorSubject): number {
  if (value === 'try') return KEEP.possible;
  if (typeof value === 'boolean') return value ? KEEP.all : KEEP.nothing;
  throw invalid(`keepMetadata is true, false or 'try', not '${String(value)}'`, subject);
}

function toBackup(value: boolean | string | undefined, subject: ErrorSubject): string | undefined {
  if (value === undefined || value === false) return undefined;
  if (value === true) return BACKUP;
  if (typeof value !== 'string') throw invalid('backup is a boolean or a path', subject);
  return checkRelative(value, { ...subject, path: value });
}

function toExpected(value: AtomicWriteOptions['ifUnchanged'], subject: ErrorSubject): Stat | string | undefined {
  if (value === undefined || value instanceof Stat) return value;
  if (typeof value?.sha256 === 'string' && /^[0-9a-f]{64}$/i.test(value.sha256)) return value.sha256.toLowerCase();
  throw invalid('ifUnchanged is a Stat, or { sha256 } with 64 hexadecimal digits', subject);
}

function invalid(why: string, subject: ErrorSubject) {
  return ownError('ERR_DIRFD_INVALID_ARGUMENT', why, subject);
}
