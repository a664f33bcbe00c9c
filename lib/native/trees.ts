/** What the addon exports for copies: native/binding/copy.cpp. */

import type { NativeFailure, NativeHandle, NativeJob, NativePath } from './surface.js';

/** One run of copyTree: roots, options, refusals. */
export interface NativeCopy {
  readonly __nativeCopy: never;
}

/** A look over a tree that was copied before. */
export interface NativeSurvey {
  readonly __nativeSurvey: never;
}

/** A piece of a long path, shared by all that lies below it. */
export interface NativePathPiece {
  readonly __nativePathPiece: never;
}

/** A directory and its copy. Holds no descriptor between calls. */
export interface NativePair {
  readonly __nativePair: never;
}

/** Which two directories (or files) are meant, by mount, inode and birth: opaque here. Empty: not known. */
export type Ticket = Uint8Array;

/** The bytes of a ticket. */
export const TICKET = 40;

/** What is there at the destination; the order of DestinationState in native/ops/copy_pair.h. */
export const STATE = { none: 0, fresh: 1, freshHere: 2, existing: 3 } as const;
export type State = (typeof STATE)[keyof typeof STATE];

/** What is to become of an entry; the order of Decision in native/ops/copy_pair.h. */
export const DECISION = {
  skip: 0,
  create: 1,
  replace: 2,
  makeDirectory: 3,
  enterDirectory: 4,
  replaceByDirectory: 5,
  replaceTree: 6,
  metadata: 7,
} as const;
export type Decision = (typeof DECISION)[keyof typeof DECISION];

/** Beside a decision, in its byte: tell what differs; tell, and do nothing. Bits of Step in native/ops/copy_pair.h. */
export const STEP = { tells: 0x40, onlyTells: 0x80 } as const;

/** What differs between an entry and what stands at the destination; bits of Change in native/ops/changes.h. */
export const CHANGE = {
  content: 1 << 0,
  size: 1 << 1,
  times: 1 << 2,
  mode: 1 << 3,
  user: 1 << 4,
  group: 1 << 5,
  acl: 1 << 6,
  xattr: 1 << 7,
  /** Made again under its name, not set right in place. */
  anew: 1 << 8,
  /** Nothing of its kind was there. */
  new: 1 << 9,
  flags: 1 << 10,
  project: 1 << 11,
} as const;

/** How an entry came out; the order of Outcome in native/ops/copy_pair.h. */
export const OUTCOME = { undecided: 0, done: 1, entered: 2, told: 3, failed: 4, large: 5 } as const;

/** What could not be kept; the order of Aspect in native/ops/copy_options.h. */
export const ASPECTS = [
  'entry',
  'vanished',
  'owner',
  'mode',
  'xattr',
  'acl',
  'capability',
  'times',
  'hard-link',
  'durability',
  'flags',
  'project',
] as const;

/** Three-way options; the order of Choice in native/ops/copy_options.h. */
export const CHOICES = ['auto', 'always', 'never'] as const;

export interface NativeProblem extends NativeFailure {
  readonly aspect: number;
  /** Of the entry; absent where the directory itself is meant. */
  readonly name?: Buffer;
  /** The xattr's name. */
  readonly detail?: string;
}

/** What came of a range of entries. Counts that are 0 are absent. */
export interface NativeApplied {
  readonly files?: number;
  readonly symlinks?: number;
  readonly directories?: number;
  readonly specials?: number;
  readonly links?: number;
  readonly updated?: number;
  readonly retries?: number;
  /** Directories, and entries with several names: a packed batch, and for each its index, outcome and ticket. */
  readonly entries?: Buffer;
  readonly indices?: Uint32Array;
  readonly outcomes?: Uint8Array;
  readonly tickets?: Buffer;
  /** Bits of CHANGE, where the outcome is `told`. */
  readonly changes?: Uint32Array;
  readonly problems?: readonly NativeProblem[];
}

export interface NativeOpened extends NativeApplied {
  /** Absent where all is done. */
  readonly pair?: NativePair;
  /** Entries in the source directory. */
  readonly count: number;
  /** In what the directory itself differs: bits of CHANGE; absent where in nothing, or where nobody asked. */
  readonly own?: number;
  readonly copied: boolean;
  readonly finished: boolean;
  /** Its mode will shut even its owner out: not to be finished before the whole subtree is. */
  readonly waits: boolean;
  readonly source?: Buffer;
  readonly destination?: Buffer;
}

/** Of a file with several names, where it was copied to, below the destination. */
export interface NativeFirstCopy {
  readonly path: Buffer;
  readonly ticket: Ticket;
}

/** Directories that native code fills on its own. */
export interface NativeFilling {
  readonly __nativeFilling: never;
}

/** A directory that native code has come to on its own. */
export interface NativePlace {
  /** The number of the directory that it was given: this one, or one above it. */
  readonly origin: number;
  /** The piece that its path begins with, and what is below that. */
  readonly above?: NativePathPiece;
  readonly rest: Buffer;
}

/** What came of directories that the copy had made, and of those it made in them. Counts are those of the directories that are done. */
export interface NativeFilled extends NativeApplied {
  /** Something is left to do in them, or to tell of them. */
  readonly opened?: readonly (NativeOpened & NativePlace)[];
  readonly failed?: readonly (NativePlace & { readonly failure: NativeFailure })[];
  /** The numbers of those below which nothing is left but what is told here, or was before. */
  readonly done: Uint32Array;
  /** Directories that no thread works on yet. */
  readonly waiting: number;
}

/** One run of verifyTree: roots and options. */
export interface NativeComparison {
  readonly __nativeComparison: never;
}

/** What differs; the order of Field in native/ops/compare_pair.h. */
export const FIELDS = [
  'missing',
  'extra',
  'kind',
  'mode',
  'owner',
  'times',
  'size',
  'content',
  'holes',
  'target',
  'device',
  'xattr',
  'flags',
  'project',
] as const;

export interface NativeDifference {
  /** Empty: the directory itself. */
  readonly name: Buffer;
  readonly field: number;
  /** StatRecords, where the sides have one. */
  readonly left?: Buffer;
  readonly right?: Buffer;
  /** Of the first byte that differs. */
  readonly offset?: number;
  readonly attribute?: string;
  readonly leftValue?: Buffer;
  readonly rightValue?: Buffer;
}

export interface NativeCompared {
  readonly compared: number;
  readonly differences: readonly NativeDifference[];
  /** Directories that both have, and entries with several names on either side: a packed batch of the left's, and their tickets. */
  readonly follow?: Buffer;
  readonly tickets?: Buffer;
  readonly problems: readonly (NativeFailure & { readonly name: Buffer })[];
}

export interface NativeTrees {
  jobProgress(job: NativeJob): Readonly<Record<'entries' | 'files' | 'bytes' | 'unchangedBytes', number>>;
  /** Entries that need nothing done, and the bytes of their content. */
  countUnchanged(job: NativeJob, entries: number, bytes: number): void;
  setPoolLimit(threads: number): void;

  /** Takes the lock that says that somebody works in a staging directory; held until the handle is closed. */
  lockDirectory(directory: NativeHandle): Promise<void>;
  /** Removes a staging directory that nobody works in; false: it is none, or somebody does. */
  removeAbandoned(parent: NativeHandle, name: Uint8Array, job: NativeJob, spared: NativeHandle): Promise<boolean>;
  /** Is the first directory the second, or below it? */
  isInside(inner: NativeHandle, outer: NativeHandle): Promise<boolean>;
  /** Whether a server, or another process, is behind the file system: NFS, SMB, FUSE, … */
  isServed(handle: NativeHandle): Promise<boolean>;
  newCopy(
    source: NativeHandle,
    destination: NativeHandle,
    job: NativeJob,
    reflink: number,
    sparse: number,
    owner: boolean,
    xattrs: boolean,
    acl: boolean,
    times: boolean,
    accessTimes: boolean,
    hardLinks: boolean,
    checksum: boolean,
    fsyncEach: boolean,
    keepGoing: boolean,
    flags: boolean,
    projectIds: boolean,
    users: Uint8Array,
    groups: Uint8Array,
    modes: Uint8Array,
    verify: boolean,
    resume: boolean,
    retries: number,
    retryDelay: number,
    range: number,
    bandwidthLimit: number,
    bulkMove: number,
    statSource: number,
    statDestination: number,
    readAhead: number,
  ): NativeCopy;
  /** Lets go of both roots; no call on the copy may be out or follow. */
  endCopy(copy: NativeCopy): void;
  newSurvey(copy: NativeCopy, deletes: boolean, oneFileSystem: boolean, threads: number): NativeSurvey;
  /** One thread's part; every part ends when the whole tree has been looked at. */
  surveyWork(survey: NativeSurvey): Promise<void>;
  /**
   * Directories to visit: of each, 'v', 'b' (nothing in it differs, but something below) or 'u' (nothing below it has been looked at), its path
   * and NUL. Undefined: all of them.
   */
  takeSurvey(survey: NativeSurvey): Buffer | undefined;
  newPathPiece(above: NativePathPiece | undefined, path: Uint8Array): NativePathPiece;
  /** From the root. */
  pathPieceText(piece: NativePathPiece): Buffer;
  copyOpen(
    copy: NativeCopy,
    above: NativePathPiece | undefined,
    path: Uint8Array,
    ticket: Ticket,
    state: State,
    listSource: boolean,
    listDestination: boolean,
    copyNow: boolean,
    tells: boolean,
    seen?: boolean,
  ): Promise<NativeOpened>;
  /**
   * A name of a file that has several comes: true where it is the first, and to be copied; undefined where it is to wait; else the copy to link to.
   *
   * @param file its mount, device and inode, 64 bits each
   * @param links how many names it has
   */
  claimName(copy: NativeCopy, file: Uint8Array, links: number): true | undefined | NativeFirstCopy;
  /** The first is copied. */
  nameDone(copy: NativeCopy, file: Uint8Array, path: Uint8Array, ticket: Ticket): void;
  /** It is not, and nobody waits for it. */
  nameLapsed(copy: NativeCopy, file: Uint8Array): void;
  /** @param onlyMount directories of other mounts stay empty; 0: none does */
  newFilling(copy: NativeCopy, onlyMount: bigint): NativeFilling;
  /**
   * Gives directories that the copy has made, in which nothing is to be decided, and works a while on all that were given and are not done.
   *
   * @param pieces above each path, if there are any
   * @param paths each with a NUL after it
   * @param origins a number of 32 bits for each
   */
  copyFill(
    filling: NativeFilling,
    pieces: readonly (NativePathPiece | undefined)[],
    paths: Uint8Array,
    tickets: Uint8Array,
    states: Uint8Array,
    origins: Uint8Array,
  ): Promise<NativeFilled>;
  copySingle(
    copy: NativeCopy,
    sourceName: NativePath,
    destinationName: NativePath,
  ): Promise<{ pair: NativePair; source: Buffer }>;
  /** One decision a byte, with bits of STEP; none at all for the default rule. */
  copyApply(
    copy: NativeCopy,
    pair: NativePair,
    first: number,
    count: number,
    steps: Uint8Array,
  ): Promise<NativeApplied>;
  copyLink(
    copy: NativeCopy,
    pair: NativePair,
    index: number,
    firstPath: Uint8Array,
    first: Ticket,
    step: number,
  ): Promise<NativeApplied>;
  copyFinish(copy: NativeCopy, pair: NativePair): Promise<NativeApplied>;

  newComparison(
    left: NativeHandle,
    right: NativeHandle,
    job: NativeJob,
    owner: boolean,
    xattrs: boolean,
    acl: boolean,
    times: boolean,
    holes: boolean,
    quick: boolean,
    flags: boolean,
    projectIds: boolean,
    users: Uint8Array,
    groups: Uint8Array,
    modes: Uint8Array,
  ): NativeComparison;
  /** @param leftOut names that take no part on either side, each with a NUL after it */
  comparePair(
    comparison: NativeComparison,
    above: NativePathPiece | undefined,
    path: Uint8Array,
    ticket: Ticket,
    leftOut: Uint8Array,
  ): Promise<NativeCompared>;
  /** Lets go of both roots; no call on the comparison may be out or follow. */
  endComparison(comparison: NativeComparison): void;
}
