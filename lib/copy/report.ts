/** What a copy has done and what it could not do. Lists are bounded, counts are exact. */

import type { Stat } from '../dirfd/stat.js';
import { FsError, shownPath, toFsError } from '../errors.js';
import { native } from '../native/load.js';
import { ASPECTS, type NativeApplied, type NativeProblem } from '../native/trees.js';
import type { Refusal } from './decide.js';

/** What may be lost while the entry itself is copied. */
export type Aspect = Exclude<(typeof ASPECTS)[number], 'entry' | 'vanished'>;

/** A path below the source root; `''` is the root itself. Bytes that are not UTF-8 show as U+FFFD in `path`. */
interface At {
  readonly path: string;
  readonly pathBytes: Buffer;
}

export interface CopyFailure extends At {
  readonly error: FsError;
}

export interface NotKept extends At {
  readonly what: Aspect;
  /** The attribute's name, where `what` is `'xattr'`. */
  readonly attribute?: string;
  /** The errno's name. */
  readonly code: string;
  readonly message: string;
}

export interface CopyReport {
  readonly source: string;
  readonly destination: string;
  /** Made or replaced. */
  readonly files: number;
  readonly directories: number;
  readonly symlinks: number;
  /** FIFOs, sockets and devices. */
  readonly specials: number;
  /** Further names of files that were copied under another name. */
  readonly hardLinks: number;
  /** Of content that was moved or shared, holes left out; in a dry run, of the files' sizes. */
  readonly bytes: number;
  /** Same content, other metadata set right. */
  readonly updated: number;
  readonly deleted: number;
  /** With `delete: 'after'`: something has failed, and so nothing was removed. */
  readonly deletionsSkipped: boolean;
  /** Times that something was tried again, see `retries`. */
  readonly retries: number;
  /** Not copied: the first {@link LIST_LIMIT}, and how many in all. */
  readonly errors: readonly CopyFailure[];
  readonly errorCount: number;
  /** Copied, but for this: the first {@link LIST_LIMIT}, and how many in all. */
  readonly notKept: readonly NotKept[];
  readonly notKeptCount: number;
  /** Gone from the source before they could be copied. */
  readonly vanished: readonly string[];
  readonly vanishedCount: number;
  readonly milliseconds: number;
  /** What the command exits with: 0 all done, 23 something failed or was not kept, 24 only that sources vanished. */
  readonly exitCode: 0 | 23 | 24;
}

/** How many entries each list of a report holds at most. */
export const LIST_LIMIT = 1000;

/** Something a report tells of, as it happens. */
export type ProblemEvent =
  | ({ readonly type: 'error' } & CopyFailure)
  | ({ readonly type: 'not-kept' } & NotKept)
  | ({ readonly type: 'vanished' } & At);

export class ReportBuilder {
  readonly #source: string;
  readonly #destination: string;
  readonly #started = performance.now();
  readonly #counts = {
    files: 0,
    directories: 0,
    symlinks: 0,
    specials: 0,
    links: 0,
    updated: 0,
    deleted: 0,
    retries: 0,
  };
  readonly #errors: CopyFailure[] = [];
  readonly #notKept: NotKept[] = [];
  readonly #vanished: string[] = [];
  #predictedBytes = 0;
  #errorCount = 0;
  #deletionsSkipped = false;
  #notKeptCount = 0;
  #vanishedCount = 0;

  constructor(source: string, destination: string) {
    this.#source = source;
    this.#destination = destination;
  }

  get errorCount(): number {
    return this.#errorCount;
  }

  /** What `delete: 'after'` would have removed stays, because something has failed before. */
  skipDeletions(): void {
    this.#deletionsSkipped = true;
  }

  count(applied: NativeApplied): void {
    const counts = this.#counts;
    counts.files += applied.files ?? 0;
    counts.directories += applied.directories ?? 0;
    counts.symlinks += applied.symlinks ?? 0;
    counts.specials += applied.specials ?? 0;
    counts.links += applied.links ?? 0;
    counts.updated += applied.updated ?? 0;
    counts.retries += applied.retries ?? 0;
  }

  /** What a dry run foresees of one entry that is to be made, replaced or set right. */
  predict(stat: Stat, isUpdate: boolean): void {
    const counts = this.#counts;
    if (isUpdate) counts.updated++;
    else if (stat.isDirectory()) counts.directories++;
    else if (stat.isSymbolicLink()) counts.symlinks++;
    else if (!stat.isFile()) counts.specials++;
    else {
      counts.files++;
      this.#predictedBytes += Number(stat.exactSize);
    }
  }

  countDeleted(entries: number): void {
    this.#counts.deleted += entries;
  }

  /** One problem of native code, in the directory `path`. */
  note(problem: NativeProblem, path: Buffer): ProblemEvent {
    const what = ASPECTS[problem.aspect] as (typeof ASPECTS)[number];
    // A name that is no entry of the source, but something that the copy made for itself, comes as text.
    const name = problem.name ?? (what === 'entry' && problem.detail ? Buffer.from(problem.detail) : undefined);
    const pathBytes = name === undefined ? path : joinPath(path, name);
    const error = this.error(problem, pathBytes);
    if (what === 'entry') return this.fail(error, pathBytes);
    const at = { path: pathBytes.toString('utf8'), pathBytes };
    if (what === 'vanished') {
      this.#vanishedCount++;
      if (this.#vanished.length < LIST_LIMIT) this.#vanished.push(at.path);
      return { type: 'vanished', ...at };
    }
    const lost: NotKept = {
      ...at,
      what,
      ...(problem.detail === undefined ? {} : { attribute: problem.detail }),
      code: error.code,
      message: error.message,
    };
    this.#notKeptCount++;
    if (this.#notKept.length < LIST_LIMIT) this.#notKept.push(lost);
    return { type: 'not-kept', ...lost };
  }

  fail(error: FsError, pathBytes: Buffer): ProblemEvent {
    const failure: CopyFailure = { path: pathBytes.toString('utf8'), pathBytes, error };
    this.#errorCount++;
    if (this.#errors.length < LIST_LIMIT) this.#errors.push(failure);
    return { type: 'error', ...failure };
  }

  /** A conflict that the options do not resolve. */
  refuse({ code, why }: Refusal, pathBytes: Buffer, syscall = 'copy'): ProblemEvent {
    const message = `${code}: ${why}, ${syscall} '${shownPath(pathBytes)}' in '${shownPath(this.#destination)}'`;
    const fields = { code, syscall, directory: this.#destination, path: pathBytes.toString('utf8'), pathBytes };
    return this.fail(new FsError(message, fields), pathBytes);
  }

  /** The error of a failed native call on `pathBytes`; it names the side that failed. */
  error(failure: unknown, pathBytes: Buffer): FsError {
    const atDestination = (failure as { subject?: number }).subject === 2;
    const made = toFsError(failure, native.callNames, {
      verb: 'copy',
      path: pathBytes.length === 0 ? '.' : pathBytes,
      directory: atDestination ? this.#destination : this.#source,
    });
    if (made instanceof FsError) return made;
    throw made;
  }

  report(bytes: number): CopyReport {
    const { links, ...counts } = this.#counts;
    const partial = this.#errorCount > 0 || this.#notKeptCount > 0;
    return {
      source: this.#source,
      destination: this.#destination,
      ...counts,
      hardLinks: links,
      deletionsSkipped: this.#deletionsSkipped,
      bytes: bytes + this.#predictedBytes,
      errors: this.#errors,
      errorCount: this.#errorCount,
      notKept: this.#notKept,
      notKeptCount: this.#notKeptCount,
      vanished: this.#vanished,
      vanishedCount: this.#vanishedCount,
      milliseconds: Math.round(performance.now() - this.#started),
      exitCode: partial ? 23 : this.#vanishedCount > 0 ? 24 : 0,
    };
  }
}

const SLASH = Buffer.from('/');

/** Either may be empty: the root, or the directory itself. */
export function joinPath(directory: Buffer, name: Buffer): Buffer {
  if (name.length === 0) return directory;
  return directory.length === 0 ? name : Buffer.concat([directory, SLASH, name]);
}
