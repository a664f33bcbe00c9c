// Runs one operation under one attack for a while, at every depth; and sees to it that the attack is one that works.
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { flip } from '../fixtures/flipper.js';
import { removeAnything } from '../fixtures/temporary.js';
import { Arena, type Attack, depthsOf } from './arena.js';
import type { Operation } from './operations.js';
import { Stage, Tally } from './stage.js';
import { Watchdog } from './watchdog.js';

export interface Place {
  /** Where the trees are made. */
  readonly directory: string;
  /** The compiled flipper. */
  readonly flipper: string;
}

export interface CellOptions {
  /** For all depths together. Each gets one run at least. */
  readonly milliseconds: number;
  /** Where the pair lies; by default at each depth that the attack has. */
  readonly depths?: readonly number[];
  /** End at the first escape or hang: all that is asked of a control. */
  readonly untilRed?: boolean;
}

/** One line of the table. */
export async function race(
  { directory, flipper }: Place,
  operation: Operation,
  attack: Attack,
  { milliseconds, depths: wanted = depthsOf(attack), untilRed = false }: CellOptions,
): Promise<Tally> {
  const tally = new Tally();
  const isRed = (): boolean => tally.escapes + tally.hangs > 0;
  // A peer is given the trees by their names, which are its caller's to keep.
  const depths = wanted.filter((depth) => depth > 0 || !untilRed);
  await using watchdog = await Watchdog.start();
  for (const depth of depths) {
    const place = mkdtempSync(join(directory, 'race-'));
    const arena = new Arena(place, attack, depth, operation.files);
    if (attack.exchange === 'file-fifo') watchdog.guard([arena.victim, arena.trap]);
    const flipping = await flip(flipper, arena.victim, arena.trap);
    const end = performance.now() + milliseconds / depths.length;
    do {
      await flipping.pause();
      arena.restore();
      await using stage = await Stage.open(arena, tally, watchdog);
      flipping.resume();
      await operation.run(stage);
      await flipping.pause();
      stage.inspect(operation.name, operation.makes && arena[operation.makes]);
      flipping.resume();
    } while (performance.now() < end && !(untilRed && isRed()));
    tally.exchanges += await flipping.stop();
    if (arena.outside.hasChangedAtAll()) tally.escape('an attribute outside has changed');
    arena.remove();
    removeAnything(place);
    if (untilRed && isRed()) break;
  }
  return tally;
}
