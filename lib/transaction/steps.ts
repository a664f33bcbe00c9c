/**
 * The changes that a transaction makes to names, each of them one system call. Numbered entries (`slot`) lie in the transaction's own directory:
 * what is new waits there, and what was replaced or removed goes there.
 *
 *   detach     name ──▶ slot            what is deleted or moved away
 *   attach     name ◀── slot            what is new, or moved here
 *   exchange   name ◀─▶ slot            both in one step: a reader sees the old or the new
 *   chmod      name: mode
 *
 * They are taken in this order: detaches by the paths from before, the deepest first; attaches and exchanges by the paths from
 * afterwards, parents first; modes of files; modes of directories last, the deepest first, because a new mode may close one. So each step's parent is
 * where the step says, though directories move meanwhile; and the way back is the same steps, from the last to the first.
 */

import type { Identity } from './identity.js';
import { joined } from './names.js';

interface Place {
  /** Index of the root. */
  readonly root: number;
  /** Path of the directory below the root; '' is the root. One byte a character, as in names.ts. */
  readonly parent: string;
  /** Inode and time of birth of that directory. */
  readonly within: string;
  readonly name: string;
}

export interface Detach extends Place {
  readonly do: 'detach';
  readonly slot: number;
  readonly old: Identity;
  /** It is attached again elsewhere, by the step with the same slot. */
  readonly moved: boolean;
}

export interface Attach extends Place {
  readonly do: 'attach';
  readonly slot: number;
  readonly new: Identity;
  readonly moved: boolean;
}

export interface Exchange extends Place {
  readonly do: 'exchange';
  readonly slot: number;
  readonly old: Identity;
  readonly new: Identity;
  readonly moved: boolean;
}

export interface Chmod extends Place {
  readonly do: 'chmod';
  readonly of: Identity;
  readonly from: number;
  readonly to: number;
}

export type Step = Detach | Attach | Exchange | Chmod;

/** A step, and which one of its transaction. */
export type Numbered = readonly [number, Step];

/** Steps that may run side by side: next to each other, of one sort, in one directory. */
export function groupsOf(steps: readonly Numbered[]): Numbered[][] {
  const groups: Numbered[][] = [];
  let key: string | undefined;
  for (const numbered of steps) {
    const [, step] = numbered;
    const own = `${phaseOf(step)} ${step.root} ${step.parent}`;
    if (own !== key) groups.push([]);
    key = own;
    groups.at(-1)?.push(numbered);
  }
  return groups;
}

/** 0 by the paths from before, 1 by those from afterwards, 2 modes of files, 3 of directories. */
export function phaseOf(step: Step): number {
  if (step.do === 'chmod') return step.of.kind === 'directory' ? 3 : 2;
  return step.do === 'detach' ? 0 : 1;
}

/** Steps for which the directories must be open, and those that may close them. */
export function apart(steps: readonly Numbered[]): { readonly open: Numbered[]; readonly closing: Numbered[] } {
  const isClosing = ([, step]: Numbered) => phaseOf(step) === 3;
  return { open: steps.filter((each) => !isClosing(each)), closing: steps.filter(isClosing) };
}

export function pathOf({ parent, name }: Step): string {
  return joined(parent, name);
}
