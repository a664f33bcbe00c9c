/** What a transaction works with, from its first operation to its end: its roots, held open, and its own directories in them. */

import { closeAll } from '../dirfd/close-all.js';
import { INTERNAL } from '../dirfd/fd.js';
import { FsError } from '../errors.js';
import { native } from '../native/load.js';
import { Draft } from './draft.js';
import { isKept, type Journal } from './journal.js';
import type { TransactionOptions } from './options.js';
import { Participant } from './participant.js';
import { discard, storyIn } from './recover.js';
import type { NamedRoots } from './roots.js';
import { Site } from './site.js';
import { invalid } from './view.js';

export interface Running {
  readonly id: string;
  readonly participants: readonly Participant[];
  readonly journal: Journal;
  readonly draft: Draft;
}

/** @throws ValidationError where another transaction has this id, and for roots that are not apart */
export async function begin(
  roots: NamedRoots,
  id: string,
  { keepUndo, lockTimeout, signal }: TransactionOptions,
): Promise<Running> {
  const sites: Site[] = [];
  try {
    for (const [name, root] of roots) sites.push((await Site.open(root, { create: true, name })) as Site);
    await refuseOverlap(sites);
    const options = { keepUndo: Boolean(keepUndo), lockTimeout, signal };
    const { participants, journal } = await Participant.beginAll(sites, id, options);
    return { id, participants, journal, draft: new Draft(participants) };
  } catch (error) {
    const told = await idIsTaken(sites, id, error);
    await closeAll(sites);
    throw told ?? error;
  }
}

/** @param discards whether all that it has staged and kept goes, too */
export async function end({ id, participants, journal }: Running, discards: boolean): Promise<void> {
  try {
    const sites = participants.map(({ site }) => site);
    if (discards) await discard(sites, id);
  } finally {
    await closeAll([journal, ...participants]);
  }
}

/** Each name must have one path only. */
async function refuseOverlap(sites: readonly Site[]): Promise<void> {
  for (const a of sites) {
    for (const b of sites) {
      if (a === b || !(await native.isInside(a.root[INTERNAL].handle, b.root[INTERNAL].handle))) continue;
      throw invalid('one of the roots is another one, or lies inside it', { verb: 'transaction', path: a.root.path });
    }
  }
}

async function idIsTaken(sites: readonly Site[], id: string, error: unknown): Promise<Error | undefined> {
  if (!(error instanceof FsError) || error.code !== 'EEXIST') return undefined;
  for (const site of sites) {
    if (!(await site.state.exists(id).catch(() => false))) continue;
    const story = await storyIn(site, id).catch(() => undefined);
    const why = story?.active
      ? 'a transaction of this id is at work'
      : story && isKept(story)
        ? 'a transaction of this id is kept for undo: prune that one, or choose another id'
        : 'a crash has left a transaction of this id: recover first, or choose another id';
    return invalid(why, { verb: 'begin', directory: site.root.path, path: id }, error);
  }
  return undefined;
}
