/** A committed transaction taken back, whole or in part, as long as nobody has changed since what it changed. */

import { type ObservedOptions, observed } from '../audit/observe.js';
import { closeAll } from '../dirfd/close-all.js';
import { DirectoryFd } from '../dirfd/directory-fd.js';
import type { RelativePath } from '../dirfd/path.js';
import { unless } from '../dirfd/unless.js';
import { ConflictError, operationError, StateError, ValidationError } from '../operation-errors.js';
import { Applier } from './apply.js';
import { type Change, changesOf } from './changes.js';
import { Departures } from './departures.js';
import type { Base } from './directories.js';
import { Journal, type Story } from './journal.js';
import { componentsOf, toText } from './names.js';
import { basesOf, discard, lockSettled, storyIn } from './recover.js';
import { isAmong, Reopened } from './reopened.js';
import { goBack, numbered } from './settle.js';
import { Site, type TransactionRoot, unlockAll, type WaitOptions } from './site.js';
import { pathOf, type Step } from './steps.js';

export interface UndoOptions extends WaitOptions, ObservedOptions {
  /** Take back only what was done to these paths, and what hangs together with it. Default: all. */
  readonly only?: readonly RelativePath[] | undefined;
}

/**
 * Takes a transaction back that was committed with `keepUndo`.
 *
 * @returns the changes that were taken back
 * @throws ConflictError with `paths`, if what it wrote has been changed since: nothing is taken back then
 * @throws StateError if there is no such transaction, or nothing of it is kept
 */
export async function undo(root: TransactionRoot, id: string, options: UndoOptions = {}): Promise<Change[]> {
  const directory = root instanceof DirectoryFd ? root.path : String(root);
  return observed({ operation: 'transaction.undo', directory, transaction: id }, options, async (note) => {
    const unknown = (why: string) => operationError(StateError, 'ERR_DIRFD_RECOVERY', why, { verb: 'undo', directory });
    const site = await Site.open(root, { create: false });
    if (site === undefined) throw unknown(`nothing is kept of a transaction '${id}'`);
    await using _site = site;
    const story = (await site.ids()).includes(id) ? await storyIn(site, id) : undefined;
    if (story === undefined) throw unknown(`nothing is kept of a transaction '${id}'`);
    if (!isAmong(story.roots, site))
      throw unknown(`this is a copy of a root of transaction '${id}', which was in another`);
    await using reopened = await Reopened.all(story.roots, site, id);
    const changes = await takenBack(reopened.sites, id, options, directory);
    if (changes === undefined) throw unknown(`transaction '${id}' is not one that can be undone: it is not done`);
    note({ changes: changes.length });
    return changes;
  });
}

async function takenBack(
  sites: readonly Site[],
  id: string,
  options: UndoOptions,
  directory: string,
): Promise<Change[] | undefined> {
  const locks = await lockSettled(sites, false, options);
  const works: DirectoryFd[] = [];
  try {
    for (const { state } of sites) {
      const work = await unless('ENOENT', state.openDirectory(id));
      if (work) works.push(work);
    }
    const [first] = works;
    const resumed = first && works.length === sites.length ? await Journal.resume(first) : undefined;
    if (resumed === undefined || resumed === 'active') return undefined;
    await using _journal = resumed.journal;
    const { story } = resumed;
    if (story.state !== 'done') return undefined;
    const chosen = options.only ? chosenSteps(story, options.only, directory) : story.inForce;
    const bases = basesOf(sites, works);
    await refuseLaterEdits(story, chosen, bases, directory);
    await resumed.journal.append([{ record: 'back', why: 'undo', steps: [...chosen] }]);
    const obstacles = await goBack(resumed.journal, { ...story, goingBack: chosen }, bases, false);
    if (obstacles.length > 0)
      throw conflict(obstacles, directory, 'changed while it was taken back; recover() goes on');
    if (chosen.size === story.inForce.size) await discard(sites, id);
    return changesOf(
      numbered(story, chosen).map(([, step]) => step),
      story.roots,
    );
  } finally {
    try {
      await closeAll(works);
    } finally {
      await unlockAll(locks);
    }
  }
}

async function refuseLaterEdits(
  story: Story,
  chosen: ReadonlySet<number>,
  bases: readonly Base[],
  directory: string,
): Promise<void> {
  await using applier = new Applier(bases, story.trees);
  const changed = await applier.changedSince(numbered(story, chosen));
  if (changed.length > 0) throw conflict(changed, directory, 'changed since; nothing was taken back');
}

function conflict(steps: readonly Step[], directory: string, why: string): ConflictError {
  const paths = [...new Set(steps.map((step) => toText(pathOf(step))))];
  const others = paths.length > 1 ? `, and ${paths.length - 1} others` : '';
  const subject = { verb: 'undo', directory, path: paths[0] };
  return operationError(ConflictError, 'ERR_DIRFD_CONFLICT', `${why}${others}`, subject, undefined, paths);
}

/**
 * The steps about these paths, with those that bring or take the same entry, those inside of what would go away, and those without
 * which there would be no directory or no name to come back to.
 */
function chosenSteps(story: Story, only: readonly RelativePath[], directory: string): Set<number> {
  const { steps, inForce } = story;
  const departures = new Departures(numbered(story, inForce));
  const chosen = new Set<number>();
  for (const path of only) {
    const wanted = componentsOf(path, { verb: 'undo', directory, path }).join('/');
    const found = [...inForce].filter((number) => pathOf(steps[number] as Step) === wanted);
    if (found.length === 0) {
      const why = 'the transaction has not changed it';
      throw operationError(ValidationError, 'ERR_DIRFD_INVALID_ARGUMENT', why, { verb: 'undo', directory, path });
    }
    for (const number of found) chosen.add(number);
  }
  for (let before = -1; before !== chosen.size; ) {
    before = chosen.size;
    const all = [...chosen].map((number) => steps[number] as Step);
    for (const number of inForce) {
      const step = steps[number] as Step;
      const belongs = all.some((other) => {
        if (other.root !== step.root) return false;
        const hasSameSlot = 'slot' in other && 'slot' in step && other.slot === step.slot;
        const isInside = other.do !== 'chmod' && `${step.parent}/`.startsWith(`${pathOf(other)}/`);
        return hasSameSlot || isInside || departures.neededBy(other).includes(step);
      });
      if (belongs) chosen.add(number);
    }
  }
  return chosen;
}
