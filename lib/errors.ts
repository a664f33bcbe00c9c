/**
 * FsError, and how it is made from the few numbers that a failed native call leaves. The message says what failed and why in Node's
 * order, then on what, in which directory, and what to do about it where that is known:
 *
 *   ELOOP: too many symbolic links encountered, openat2 'a/link' in '/srv/data' (a symlink is in the way: …)
 */

import { constants } from 'node:os';
import { getSystemErrorMap } from 'node:util';
import type { NativeFailure } from './native/surface.js';

/** dirfd's own error codes. */
export type OwnCode =
  | 'ERR_DIRFD_PATH_ESCAPE'
  | 'ERR_DIRFD_INVALID_PATH'
  | 'ERR_DIRFD_INVALID_ARGUMENT'
  | 'ERR_DIRFD_CLOSED'
  | 'ERR_DIRFD_BUSY'
  | 'ERR_DIRFD_CHANGED'
  | 'ERR_DIRFD_TORN'
  | 'ERR_DIRFD_NOT_REGULAR'
  | 'ERR_DIRFD_UNSUPPORTED'
  | 'ERR_DIRFD_TOO_LARGE'
  | 'ERR_DIRFD_DELETE_LIMIT'
  | 'ERR_DIRFD_LOCK_TIMEOUT'
  | OperationCode;

/** Codes of the errors in lib/operation-errors.ts, beside ERR_DIRFD_TOO_LARGE and ERR_DIRFD_LOCK_TIMEOUT. */
export type OperationCode =
  | 'ERR_DIRFD_INVALID_CONTENT'
  | 'ERR_DIRFD_LOCK'
  | 'ERR_DIRFD_DEADLOCK'
  | 'ERR_DIRFD_CONFLICT'
  | 'ERR_DIRFD_INTEGRITY'
  | 'ERR_DIRFD_BACKUP'
  | 'ERR_DIRFD_RECOVERY'
  | 'ERR_DIRFD_WRITE';

/** What an FsError carries besides its message. */
export interface FsErrorFields {
  /** An errno's name ('ENOENT') or one of dirfd's own codes. */
  readonly code: string;
  /** Negative, as Node has it; absent where no system call failed. */
  readonly errno?: number | undefined;
  /** The system call that failed, or the verb where none was made. */
  readonly syscall?: string | undefined;
  /** The relative path as the caller gave it; bytes that are not UTF-8 show as U+FFFD here and stand exactly in `pathBytes`. */
  readonly path?: string | undefined;
  /** `path`, exactly. */
  readonly pathBytes?: Buffer | undefined;
  /** The second path of rename, link and copies. */
  readonly dest?: string | undefined;
  /** The path by which the directory was opened: for people, never used again. */
  readonly directory?: string | undefined;
  /** What led to it, where that was an error of its own. */
  readonly cause?: unknown;
}

/** Every failure of dirfd. The fields, as {@link FsErrorFields} explains them, follow Node's system errors. */
export class FsError extends Error implements FsErrorFields {
  override readonly name: string = 'FsError';
  readonly code: string;
  // Declared only, so that what is absent is no property either: a printed error shows what it has.
  declare readonly errno?: number;
  declare readonly syscall?: string;
  declare readonly path?: string;
  declare readonly pathBytes?: Buffer;
  declare readonly dest?: string;
  declare readonly directory?: string;

  constructor(message: string, fields: FsErrorFields) {
    super(message, 'cause' in fields ? { cause: fields.cause } : undefined);
    this.code = fields.code;
    if (fields.errno !== undefined) this.errno = fields.errno;
    if (fields.syscall !== undefined) this.syscall = fields.syscall;
    if (fields.path !== undefined) this.path = fields.path;
    if (fields.dest !== undefined) this.dest = fields.dest;
    if (fields.directory !== undefined) this.directory = fields.directory;
    // Not enumerable: a printed error should not show every path twice.
    if (fields.pathBytes !== undefined) Object.defineProperty(this, 'pathBytes', { value: fields.pathBytes });
  }
}

/** What an operation was about, for its errors. */
export interface ErrorSubject {
  readonly verb: string;
  readonly directory?: string | undefined;
  readonly path?: string | Uint8Array | undefined;
  readonly dest?: string | Uint8Array | undefined;
  /** Where `dest` lies, if not in `directory`. */
  readonly destDirectory?: string | undefined;
}

/** The order of Reason in native/sys/result.h. */
const REASONS: readonly { readonly code?: OwnCode; readonly text?: string }[] = [
  {},
  { code: 'ERR_DIRFD_PATH_ESCAPE', text: 'the path leads out of the directory' },
  { code: 'ERR_DIRFD_CHANGED', text: 'the entry is no longer the one that was looked at' },
  { code: 'ERR_DIRFD_TORN', text: 'the file changed while it was read' },
  { code: 'ERR_DIRFD_NOT_REGULAR', text: 'not a regular file: a FIFO, socket or device is never opened' },
  { code: 'ERR_DIRFD_UNSUPPORTED', text: 'neither this kernel nor this file system has a way to do it' },
  { text: 'too many symbolic links' },
  { text: 'the file system took no byte and gave no error' },
  { code: 'ERR_DIRFD_INVALID_ARGUMENT', text: 'an offset or length that the kernel cannot represent' },
  { code: 'ERR_DIRFD_INVALID_ARGUMENT', text: 'source and destination lie inside one another, and here they meet' },
  { text: 'the change is made, but whether it would survive a crash is not known' },
  { code: 'ERR_DIRFD_INTEGRITY', text: 'what was read back is not what was written' },
];

/** Negative errno → [name, text]. libuv's texts, and those it lacks. */
const TEXTS = new Map<number, readonly [string, string]>([
  ...Object.entries(constants.errno).map(([name, errno]) => [-errno, [name, name]] as const),
  ...getSystemErrorMap(),
  [-constants.errno.EDQUOT, ['EDQUOT', 'disk quota exceeded']],
  [-constants.errno.ENOLCK, ['ENOLCK', 'no locks available']],
  [-constants.errno.ESTALE, ['ESTALE', 'stale file handle']],
  // The man pages' EOPNOTSUPP, under the name that Node gives the same number; libuv's text speaks of sockets.
  [-95, ['ENOTSUP', 'operation not supported']],
  [-40, ['ELOOP', 'too many symbolic links encountered']],
  [-18, ['EXDEV', 'crosses to another file system or mount']],
]);

/** What to do about it, by code, or by code and system call. */
const ADVICE: Readonly<Record<string, string>> = {
  ELOOP: "a symlink is in the way; open the directory with resolution 'beneath' to follow links that stay inside",
  EMFILE: 'this process has no descriptors left; raise `ulimit -n`',
  ENAMETOOLONG: 'a single name has at most 255 bytes',
  'ENAMETOOLONG symlinkat': 'a name has at most 255 bytes, a target at most 4095, on some file systems 1023',
  ERR_DIRFD_PATH_ESCAPE:
    "a symlink on the way is absolute or climbs too far; 'in-root' resolution keeps such links inside",
};

/** The error for a failed native call. Anything else that was thrown is returned as it is. */
export function toFsError(thrown: unknown, callNames: readonly string[], subject: ErrorSubject): unknown {
  if (!isNativeFailure(thrown)) return thrown;
  const reason = REASONS[thrown.reason] ?? {};
  const [errnoName, errnoText] = TEXTS.get(-thrown.errno) ?? [`E${thrown.errno}`, `error ${thrown.errno}`];
  const syscall = callNames[thrown.call] || subject.verb;
  const code = reason.code ?? errnoName;
  // A reason without a code of its own says more of an errno than its advice knows.
  const isExplained = reason.text !== undefined && reason.code === undefined;
  const advice = isExplained ? undefined : (ADVICE[`${code} ${syscall}`] ?? ADVICE[code]);
  return new FsError(message(code, reason.text ?? errnoText, syscall, subject, advice), {
    code,
    errno: -thrown.errno,
    syscall,
    ...named(subject),
  });
}

/** An error of our own, made before or without a system call. */
export function ownError(code: OwnCode, why: string, subject: ErrorSubject, cause?: unknown): FsError {
  return new FsError(...describeOwn(code, why, subject, cause));
}

/** What the constructor of FsError, or of a subclass, takes for an error of our own. */
export function describeOwn(
  code: OwnCode,
  why: string,
  subject: ErrorSubject,
  cause?: unknown,
): [message: string, fields: FsErrorFields] {
  const text = message(code, why, subject.verb, subject);
  return [text, { code, syscall: subject.verb, ...named(subject), ...(cause === undefined ? {} : { cause }) }];
}

/** A path for people: what a terminal would obey or turn round, and bytes that are not UTF-8, never reach it as they are. */
export function shownPath(path: string | Uint8Array): string {
  const text = asText(path);
  const short = text.length <= 2 * SHOWN_ENDS ? text : `${text.slice(0, SHOWN_ENDS)}…${text.slice(-SHOWN_ENDS)}`;
  return short.replace(UNPRINTABLE, (c) => SHORT[c] ?? `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they, and the marks that reverse text, are what must not be printed
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069'\\]/g;
/** Of a longer path, a message shows the two ends; the error's fields have all of it. */
const SHOWN_ENDS = 300;
const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', "'": "\\'", '\\': '\\\\' };

function message(code: string, why: string, syscall: string, subject: ErrorSubject, advice?: string): string {
  let text = `${code}: ${why}, ${syscall}`;
  if (subject.path !== undefined) text += ` '${shownPath(subject.path)}'`;
  if (subject.directory !== undefined && subject.destDirectory !== undefined) text += within(subject.directory);
  if (subject.dest !== undefined) text += ` -> '${shownPath(subject.dest)}'`;
  const last = subject.destDirectory ?? subject.directory;
  if (last !== undefined) text += within(last);
  return advice === undefined ? text : `${text} (${advice})`;
}

function within(directory: string): string {
  return ` in '${shownPath(directory)}'`;
}

function asText(path: string | Uint8Array): string {
  return typeof path === 'string' ? path : Buffer.from(path).toString('utf8');
}

function named(subject: ErrorSubject): Partial<FsErrorFields> {
  return {
    ...(subject.path === undefined ? {} : { path: asText(subject.path), pathBytes: Buffer.from(subject.path) }),
    ...(subject.dest === undefined ? {} : { dest: asText(subject.dest) }),
    ...(subject.directory === undefined ? {} : { directory: subject.directory }),
  };
}

function isNativeFailure(thrown: unknown): thrown is NativeFailure {
  return typeof thrown === 'object' && thrown !== null && 'errno' in thrown && 'call' in thrown && 'reason' in thrown;
}
