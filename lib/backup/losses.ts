/** What a copy into the store, or out of it, could not keep. */

import type { Aspect, NotKept } from '../copy/report.js';

/** Something of an entry that its copy has not, because the file system or the process may not. JSON throughout. */
export interface BackupLoss {
  /** Relative to what was backed up, or put back; empty for that itself. */
  readonly path: string;
  /** Base64, where the path is not UTF-8. */
  readonly pathBytes?: string;
  readonly what: Aspect;
  /** The attribute's name, where `what` is `'xattr'`. */
  readonly attribute?: string;
  /** The errno's name. */
  readonly code: string;
  readonly message: string;
}

/** The first {@link LOSS_LIMIT}, and how many in all. */
export interface BackupLosses {
  readonly notKept: readonly BackupLoss[];
  readonly notKeptCount: number;
}

/** A manifest is read whole for each version that is listed. */
export const LOSS_LIMIT = 100;

export function toLosses({
  notKept,
  notKeptCount,
}: {
  notKept: readonly NotKept[];
  notKeptCount: number;
}): BackupLosses {
  return { notKept: notKept.slice(0, LOSS_LIMIT).map(toLoss), notKeptCount };
}

function toLoss({ pathBytes, ...loss }: NotKept): BackupLoss {
  const isText = Buffer.from(loss.path).equals(pathBytes);
  return isText ? loss : { ...loss, pathBytes: pathBytes.toString('base64') };
}
