/**
 * Where directories are that were moved, deleted or replaced by steps, all of which have been taken. Detaches tell paths from before, exchanges those
 * from afterwards.
 */

import { statOf } from './absent.js';
import { ancestorsOf } from './names.js';
import type { Pair } from './renames.js';
import { type Numbered, pathOf, type Step } from './steps.js';

export interface Whereabouts {
  /** Path below the root; undefined: in the transaction's own directory. */
  readonly parent: string | undefined;
  /** What has brought it there: without these it does not come back. */
  readonly by: readonly Step[];
}

export class Departures {
  /** By root and path. */
  readonly #detached = new Map<string, Step>();
  readonly #exchanged = new Map<string, Step>();
  /** Paths of what was moved, by root and slot. */
  readonly #arrived = new Map<string, string>();
  /** By the name that means something new. */
  readonly #brought = new Map<string, Step>();

  constructor(steps: readonly Numbered[]) {
    for (const [, step] of steps) {
      if (step.do === 'detach') this.#detached.set(`${step.root} ${pathOf(step)}`, step);
      if (step.do === 'exchange') this.#exchanged.set(`${step.root} ${pathOf(step)}`, step);
      if (step.do !== 'attach' && step.do !== 'exchange') continue;
      if (step.moved) this.#arrived.set(`${step.root} ${step.slot}`, pathOf(step));
      this.#brought.set(nameOf(step), step);
    }
  }

  /** Of the directory of a detach; undefined where none of these steps has taken it away. */
  whereaboutsOf({ root, parent }: Step): Whereabouts | undefined {
    const by: Step[] = [];
    let [path, moved] = [parent, ''];
    // The deepest counts: what lies below has gone along with it.
    const detach = ancestorsOf(parent).find((above) => this.#detached.has(`${root} ${above}`));
    if (detach !== undefined) {
      const step = this.#detached.get(`${root} ${detach}`) as Step & { do: 'detach' };
      by.push(step);
      const arrived = this.#arrived.get(`${root} ${step.slot}`);
      if (arrived === undefined) return { parent: undefined, by };
      [path, moved] = [arrived + parent.slice(detach.length), arrived];
    }
    const below = ancestorsOf(path).filter((above) => above.length > moved.length);
    const exchange = below.map((above) => this.#exchanged.get(`${root} ${above}`)).find((step) => step !== undefined);
    if (exchange) return { parent: undefined, by: [...by, exchange] };
    return by.length > 0 ? { parent: path, by } : undefined;
  }

  /** What has to be taken back along with a step: what has taken its directory away, and what has its name now. */
  neededBy(step: Step): readonly Step[] {
    if (step.do !== 'detach') return [];
    const successor = this.#brought.get(nameOf(step));
    return [...(this.whereaboutsOf(step)?.by ?? []), ...(successor ? [successor] : [])];
  }

  /** Whether a name from which an entry was moved can have it back: nobody else uses it. */
  async isFree(step: Step, { directory, name }: Pair): Promise<boolean> {
    if (step.do !== 'detach' || this.#brought.has(nameOf(step))) return true;
    return (await statOf(directory, name)) === undefined;
  }
}

function nameOf({ root, within, name }: Step): string {
  return `${root} ${within} ${name}`;
}
