/** How a transaction ends, at its own hand or at a recovery's: its steps taken or taken back, that written down, and its leavings removed. */

import { Applier } from './apply.js';
import type { Base } from './directories.js';
import type { Journal, Story } from './journal.js';
import { apart, type Numbered, type Step } from './steps.js';
import { treesOf } from './trees.js';

/** Takes the steps of a committed transaction that have not been taken. @returns those that cannot be, if there are any */
export async function finish(
  journal: Journal,
  story: Pick<Story, 'steps' | 'inForce'>,
  bases: readonly Base[],
  keepGoing: boolean,
): Promise<Step[]> {
  await using applier = new Applier(bases);
  const { open, closing } = apart(numbered(story, story.inForce));
  // A directory that its own mode has closed already would keep out the steps before.
  await applier.takeBack(closing.filter(([, step]) => step.do === 'chmod' && (step.to & 0o700) !== 0o700));
  const obstacles = await applier.retake(open);
  const trees = await treesOf(bases, story.steps);
  obstacles.push(...(await applier.retake(closing)));
  await applier.sync();
  if (obstacles.length === 0 || keepGoing) await journal.append([{ record: 'done', time: now(), trees }]);
  return obstacles;
}

/** Takes back what goes back by the journal. @returns what cannot be taken back, if there is anything */
export async function goBack(
  journal: Journal,
  story: Pick<Story, 'steps' | 'goingBack' | 'trees'>,
  bases: readonly Base[],
  keepGoing: boolean,
): Promise<Step[]> {
  await using applier = new Applier(bases, story.trees);
  const obstacles = await applier.takeBack(numbered(story, story.goingBack));
  await applier.sync();
  if (obstacles.length === 0 || keepGoing) await journal.append([{ record: 'gone', time: now() }]);
  return obstacles;
}

export function numbered({ steps }: Pick<Story, 'steps'>, which: ReadonlySet<number>): Numbered[] {
  return [...steps.entries()].filter(([number]) => which.has(number));
}

export function now(): string {
  return new Date().toISOString();
}
