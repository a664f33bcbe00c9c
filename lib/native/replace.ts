/** What the addon exports for files replaced whole: native/binding/verbs_replace.cpp. */

import type { NativeHandle, NativePath } from './surface.js';
import type { NativeProblem } from './trees.js';

/** The order of Durability in native/ops/replace_file.h. */
export const DURABILITIES = ['none', 'data', 'full'] as const;

/** The order of Keep in native/ops/replace_file.h. */
export const KEEP = { nothing: 0, possible: 1, all: 2 } as const;

/** Of the reasons of native/sys/result.h, those that a replaced file is asked about. */
export const REPLACE_REASON = { changed: 2, notRegular: 4, uncertain: 10 } as const;

/** Options of a replacement, as arguments: the order of parse_options in native/binding/verbs_replace.cpp. */
export type NativeReplaceOptions = readonly [
  durability: number,
  keep: number,
  createOnly: boolean,
  replaceSymlink: boolean,
  refuseHardLinks: boolean,
  mode: number,
  backup: NativePath,
  isBackupOurs: boolean,
  ...expected: NativeExpected | readonly [-1],
];

/** The file that has to be there. */
export type NativeExpected = readonly [
  mountId: bigint,
  ino: bigint,
  size: number,
  ctimeSeconds: bigint,
  ctimeNanoseconds: number,
];

export interface NativeReplaced {
  /** A StatRecord, of the new file. */
  readonly stat: Buffer;
  readonly replaced: boolean;
  readonly lost?: readonly NativeProblem[];
}

/** Verbs with both forms. */
export interface ReplaceVerbs {
  replaceFile(root: NativeHandle, path: NativePath, content: Uint8Array, ...how: NativeReplaceOptions): NativeReplaced;
  /** For content that comes in pieces. */
  openDraft(directory: NativeHandle, name: NativePath, ...how: NativeReplaceOptions): NativeHandle;
  /** The directory in which a path's last component lies, and its name there. */
  pinPlace(root: NativeHandle, path: NativePath, follow: boolean): readonly [directory: NativeHandle, name: Buffer];
  /** How many drafts, left by processes that are no more, have been removed. */
  sweepDrafts(directory: NativeHandle): number;
}

/** Verbs that wait for the disk, on threads of dirfd's own. */
export interface WaitingVerbs {
  replaceFileDurably(
    root: NativeHandle,
    path: NativePath,
    content: Uint8Array,
    ...how: NativeReplaceOptions
  ): Promise<NativeReplaced>;
  replaceByDraft(
    draft: NativeHandle,
    directory: NativeHandle,
    name: NativePath,
    ...how: NativeReplaceOptions
  ): Promise<NativeReplaced>;
  /** fsync(2) of a directory, one for all who wait for it. */
  syncShared(directory: NativeHandle): Promise<void>;
}
