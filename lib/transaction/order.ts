/** What has to be on the disk before the next steps may be taken. */

import { ancestorsOf } from './names.js';
import { type Numbered, pathOf, phaseOf, type Step } from './steps.js';

/**
 * Where steps depend on each other. A crash may leave any of the changes since the last sync undone, in any order. Every step finds out by itself
 * whether it was taken, but for one in a directory that is not where the step looks for it, because a later step has moved that directory
 * away: so what was done inside a directory is synced before the directory moves.
 */
export class Order {
  readonly #touched = new Set<string>();
  readonly #replacesDirectories: boolean;
  #phase: number | undefined;

  constructor(steps: readonly Numbered[]) {
    this.#replacesDirectories = steps.some(([, step]) => step.do === 'exchange' && step.old.kind === 'directory');
  }

  needsBarrier(group: readonly Numbered[]): boolean {
    const first = group[0]?.[1] as Step;
    const phase = phaseOf(first);
    // Detaches name the paths from before, exchanges those from afterwards: they are not compared.
    const changesPaths = this.#phase === 0 && phase === 1 && this.#replacesDirectories;
    this.#phase = phase;
    const moves = group.some(([, step]) => step.do !== 'chmod' && this.#touched.has(`${step.root} ${pathOf(step)}`));
    for (const path of ancestorsOf(first.parent)) this.#touched.add(`${first.root} ${path}`);
    return changesPaths || moves;
  }
}
