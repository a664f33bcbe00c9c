/**
 * Takes steps and takes them back, in their order, those of one directory side by side. Three callers: the commit (`take`), the recovery
 * (`retake`, `takeBack`) and undo (`changedSince`, `takeBack`).
 */

import type { DirectoryFd } from '../dirfd/directory-fd.js';
import { Departures } from './departures.js';
import { type Base, Directories } from './directories.js';
import { toBytes } from './names.js';
import { Order } from './order.js';
import type { Pair } from './renames.js';
import { holdsOld, isAsLeft, isWaiting, retakeStep, takeStepBack } from './retake.js';
import { groupsOf, type Numbered, type Step } from './steps.js';
import { Obstacle, takeStep } from './take.js';

/** Steps of one directory that are under way together. */
const SIDE_BY_SIDE = 32;

export class Applier implements AsyncDisposable {
  readonly #bases: readonly Base[];
  /** What each new directory holds, by the number of its step, where that is more than what was staged. */
  readonly #trees: ReadonlyMap<number, string>;
  readonly #directories: Directories;

  constructor(bases: readonly Base[], trees: ReadonlyMap<number, string> = new Map()) {
    this.#bases = bases;
    this.#trees = trees;
    this.#directories = new Directories(bases);
  }

  /** @throws Obstacle, or what a system call failed with; steps before it have been taken */
  async take(steps: readonly Numbered[], onTaken: (count: number) => void, signal?: AbortSignal): Promise<void> {
    await this.#inGroups(steps, async ([, step], pair) => {
      signal?.throwIfAborted();
      if (pair === undefined) throw new Obstacle(step);
      await takeStep(step, pair, this.#directories.syncInode);
      onTaken(1);
    });
  }

  /** Takes those steps that have not been taken. @returns the ones that cannot be */
  async retake(steps: readonly Numbered[]): Promise<Step[]> {
    return this.#unlike(steps, async ([, step], pair, work) => {
      if (pair === undefined) return step.do === 'detach' || !(await isWaiting(step, work));
      return retakeStep(step, pair, this.#directories.syncInode);
    });
  }

  /** From the last to the first. @returns the ones that cannot be taken back */
  async takeBack(steps: readonly Numbered[]): Promise<Step[]> {
    return this.#unlike([...steps].reverse(), async ([, step], pair, work) => {
      // Without its directory, only what lies in the slot would have nowhere to go.
      if (pair === undefined) return !(await holdsOld(step, work));
      return takeStepBack(step, pair, this.#directories.syncInode);
    });
  }

  /** Which of these steps, all of them taken, could not be taken back without losing what somebody has done since. */
  async changedSince(steps: readonly Numbered[]): Promise<Step[]> {
    const departures = new Departures(steps);
    return this.#unlike(steps, async ([number, step], pair, work) => {
      const isStill = async (at: Pair) =>
        (await departures.isFree(step, at)) && (await isAsLeft(step, at, this.#trees.get(number)));
      if (pair) return isStill(pair);
      if (step.do !== 'detach') return false;
      // Its directory may have gone with these steps, and comes back with them.
      const whereabouts = departures.whereaboutsOf(step);
      if (whereabouts === undefined) return false;
      if (whereabouts.parent === undefined) return step.moved || (await holdsOld(step, work));
      await using directory = await this.#directories.find({ ...step, parent: whereabouts.parent });
      return directory !== undefined && (await isStill(pairOf(step, directory, work)));
    });
  }

  /** Resolves when all steps that were taken are on the disk. */
  async sync(): Promise<void> {
    await this.#directories.sync();
    await this.#directories.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#directories.close();
  }

  async #unlike(
    steps: readonly Numbered[],
    act: (numbered: Numbered, pair: Pair | undefined, work: DirectoryFd) => Promise<boolean>,
  ): Promise<Step[]> {
    const obstacles: Step[] = [];
    await this.#inGroups(steps, async (numbered, pair, work) => {
      if (!(await act(numbered, pair, work))) obstacles.push(numbered[1]);
    });
    return obstacles;
  }

  /** @param act `pair` is undefined where the step's directory is not where the step says */
  async #inGroups(
    steps: readonly Numbered[],
    act: (numbered: Numbered, pair: Pair | undefined, work: DirectoryFd) => Promise<void>,
  ): Promise<void> {
    const order = new Order(steps);
    for (const group of groupsOf(steps)) {
      if (order.needsBarrier(group)) await this.#directories.sync();
      const first = group[0]?.[1] as Step;
      const directory = await this.#directories.open(first);
      const { work } = this.#bases[first.root] as Base;
      const pending = [...group].reverse();
      const takeTurns = async () => {
        for (let next = pending.pop(); next; next = pending.pop()) {
          await act(next, directory && pairOf(next[1], directory, work), work);
        }
      };
      // All must have ended before anything is taken back.
      const ends = await Promise.allSettled(Array.from({ length: Math.min(SIDE_BY_SIDE, group.length) }, takeTurns));
      const failed = ends.find((end) => end.status === 'rejected');
      if (failed) throw failed.reason;
    }
  }
}

function pairOf(step: Step, directory: DirectoryFd, work: DirectoryFd): Pair {
  return { directory, name: toBytes(step.name), work, slot: step.do === 'chmod' ? '' : String(step.slot) };
}
