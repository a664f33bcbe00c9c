/** A directory on its way through a copy. */

import type { Stat } from '../dirfd/stat.js';
import { type NativeOpened, type NativePair, STATE, type State, TICKET, type Ticket } from '../native/trees.js';
import type { TreePath } from './tree-path.js';

export interface Directory {
  readonly path: TreePath;
  readonly ticket: Ticket;
  readonly state: State;
  readonly parent: Directory | undefined;
  /** Not to be finished before the whole subtree is: its mode may shut even its owner out. */
  waits: boolean;
  /** A mount point that is not to be crossed. */
  readonly bare: boolean;
  /** A survey has found out which of its subdirectories have to be visited. */
  readonly surveyed: boolean;
  /** Its entries have been counted by a survey. */
  readonly seen: boolean;
  pair: NativePair | undefined;
  /** Native calls on the directory itself that are outstanding. */
  own: number;
  /** Subdirectories whose subtrees are not done. */
  children: number;
  finished: boolean;
}

export function newDirectory(
  fixed: Pick<Directory, 'path' | 'ticket' | 'state' | 'parent' | 'bare' | 'surveyed' | 'seen'>,
): Directory {
  return { ...fixed, waits: false, pair: undefined, own: 1, children: 0, finished: false };
}

/** What opening it has told. */
export function setOpened(directory: Directory, opened: NativeOpened): void {
  directory.pair = opened.pair;
  directory.finished = opened.finished;
  directory.waits = opened.waits;
}

/** A directory in one that was there before may inherit ACLs and group; in one that this copy made, nothing. */
export function madeState(parent: State): State {
  return parent === STATE.existing ? STATE.freshHere : STATE.fresh;
}

/** Mount and inode of both, as Ticket in native/ops/copy_pair.h has them. Kernels before 5.8 tell no mount: the device stands in. */
export function ticketOf(source: Stat, destination: Stat | undefined): Ticket {
  const ticket = Buffer.alloc(TICKET);
  [source, destination].forEach((stat, side) => {
    if (!stat) return;
    ticket.writeBigUInt64LE(stat.mountId || stat.dev, 16 * side);
    ticket.writeBigUInt64LE(stat.ino, 16 * side + 8);
  });
  return ticket;
}
