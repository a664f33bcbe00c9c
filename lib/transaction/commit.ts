/**
 * The commit, in the order that survives a crash between any two of its calls:
 *
 *   1. all that is staged to the disk, names included
 *   2. the locks of all roots; what others have left unfinished there is settled
 *   3. everything that is replaced, deleted, was read or gets a mode must be as it was
 *   4. the journal to the disk: from here on the transaction is committed
 *   5. the steps; directories to the disk
 *   6. "done" to the disk; the locks are let go
 *
 * A failure before 4 leaves everything as it was. One in 5 is written down, and the steps are taken back.
 */

import { ownError } from '../errors.js';
import { operationError, StateError } from '../operation-errors.js';
import { Applier } from './apply.js';
import { changedMeanwhile, compile, conflict } from './compile.js';
import type { Draft } from './draft.js';
import type { Journal } from './journal.js';
import { toText } from './names.js';
import type { Participant } from './participant.js';
import { lockSettled } from './recover.js';
import { goBack, now } from './settle.js';
import { unlockAll, type WaitOptions } from './site.js';
import { apart, pathOf, type Step } from './steps.js';
import { Obstacle } from './take.js';
import { treesOf } from './trees.js';

export interface Commit extends WaitOptions {
  readonly id: string;
  readonly keepUndo: boolean;
  readonly draft: Draft;
  readonly participants: readonly Participant[];
  readonly journal: Journal;
  readonly onPhase: (phase: 'sync' | 'lock' | 'apply', total: number) => void;
  readonly onTaken: (count: number) => void;
}

/** @returns the steps that were taken; none where nothing was to be changed */
export async function commit(commit: Commit): Promise<readonly Step[]> {
  const { draft, participants, signal, onPhase } = commit;
  signal?.throwIfAborted();
  const steps = await compile(draft, participants);
  onPhase('sync', steps.length);
  if (steps.length > 0) for (const participant of participants) await participant.sync();
  onPhase('lock', steps.length);
  const sites = participants.map(({ site }) => site);
  const locks = await lockSettled(sites, false, commit);
  try {
    const changed = await changedMeanwhile(draft, participants);
    if (changed.length > 0) throw conflict(changed, participants[0]?.root.path ?? '');
    signal?.throwIfAborted();
    if (steps.length > 0) await perform(commit, steps);
    return steps;
  } finally {
    await unlockAll(locks);
  }
}

async function perform(
  { id, keepUndo, participants, journal, signal, onPhase, onTaken }: Commit,
  steps: Step[],
): Promise<void> {
  const roots = participants.map(({ site }) => site.record);
  try {
    await journal.append([
      { record: 'begin', version: 1, id, roots, keepUndo },
      ...steps.map((step) => ({ record: 'step', step }) as const),
      { record: 'commit', steps: steps.length, time: now() },
    ]);
  } catch (error) {
    // It may be on the disk nevertheless, and would be taken for a promise.
    await journal.forget().catch((second) => {
      throw unsettled(id, participants, [], new AggregateError([error, second]));
    });
    throw error;
  }
  await using applier = new Applier(participants);
  try {
    onPhase('apply', steps.length);
    const { open, closing } = apart([...steps.entries()]);
    await applier.take(open, onTaken, signal);
    const trees = await treesOf(participants, steps);
    await applier.take(closing, onTaken, signal);
    await applier.sync();
    await journal.append([{ record: 'done', time: now(), trees }]);
  } catch (error) {
    await takeBack(id, participants, journal, applier, steps, error);
    throw error instanceof Obstacle ? conflict([pathOf(error.step)], participants[error.step.root]!.root.path) : error;
  }
}

async function takeBack(
  id: string,
  participants: readonly Participant[],
  journal: Journal,
  applier: Applier,
  steps: readonly Step[],
  why: unknown,
): Promise<void> {
  let obstacles: Step[];
  try {
    // What lies inside of something is found by its path: no step may be lost to a crash that one inside of it outlives.
    await applier.sync();
    await journal.append([{ record: 'back', why: 'failed' }]);
    const story = { steps, goingBack: new Set(steps.keys()), trees: new Map() };
    obstacles = await goBack(journal, story, participants, false);
  } catch (error) {
    throw unsettled(id, participants, [], new AggregateError([why, error]));
  }
  if (obstacles.length > 0) throw unsettled(id, participants, obstacles, why);
}

/** Neither done nor taken back: what was staged and replaced is kept, and recover() goes on from there. */
function unsettled(
  id: string,
  participants: readonly Participant[],
  obstacles: readonly Step[],
  cause: unknown,
): Unsettled {
  const paths = obstacles.map((step) => toText(pathOf(step)));
  const [path] = paths;
  const why = `transaction ${id} could be neither finished nor taken back; settle it with recover()`;
  const directory = participants[0]?.root.path;
  return operationError(Unsettled, 'ERR_DIRFD_RECOVERY', why, { verb: 'commit', directory, path }, cause, paths);
}

/** A StateError after which the transaction's directory must stay. */
export class Unsettled extends StateError {}

/** For operations on a transaction that is over. */
export function over(id: string, how: string): Error {
  return ownError('ERR_DIRFD_CLOSED', `transaction ${id} is ${how}`, { verb: 'transaction' });
}
