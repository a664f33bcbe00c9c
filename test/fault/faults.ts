// Points and errnos → the faults of a sweep, all or a seeded sample; and a fault as the words by which it can be run alone.
import { errnosOf } from './errnos.js';
import type { Point } from './points.js';
import type { Fault } from './sweep.js';

export interface Selection {
  /** `'first'`: one errno a point. */
  readonly errnos: 'first' | 'all' | 'none';
  readonly kill: boolean;
  /** How many, drawn at random; undefined: all. */
  readonly sample?: number | undefined;
  readonly seed: number;
}

export function faultsOf(points: readonly Point[], { errnos, kill, sample, seed }: Selection): Fault[] {
  const faults = points.flatMap((point) => {
    const all = errnosOf(point.call);
    const kinds = errnos === 'all' ? all : errnos === 'first' ? all.slice(0, 1) : [];
    return [...kinds, ...(kill ? ['KILL'] : [])].map((fault) => ({ ...point, fault }));
  });
  return sample === undefined ? faults : drawn(faults, sample, seed);
}

/** `5:openat:3:EIO`: in the process's thread 5 (`*`: in any), the third openat fails with EIO. */
export function wordsOf({ thread, call, nth, fault }: Fault): string {
  return `${thread ?? '*'}:${call}:${nth}:${fault}`;
}

export function faultFrom(words: string): Fault {
  const [, thread, call = '', nth, fault = ''] = /^(\*|\d+):(\w+):(\d+):(\w+)$/.exec(words) ?? [];
  if (fault === '') throw new Error(`not a fault: ${words}`);
  return { thread: thread === '*' ? undefined : Number(thread), call, nth: Number(nth), fault, about: '' };
}

/** `count` of them, in their order. */
function drawn(faults: readonly Fault[], count: number, seed: number): Fault[] {
  let state = seed >>> 0;
  // A linear congruential generator (Numerical Recipes): enough to spread a sample.
  const random = (): number => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0);
  const keyed = faults.map((fault, index) => ({ fault, index, key: random() }));
  const chosen = keyed.sort((a, b) => a.key - b.key).slice(0, count);
  return chosen.sort((a, b) => a.index - b.index).map(({ fault }) => fault);
}
