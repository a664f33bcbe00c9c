// Which operation meets which attack, and whether the attacks are ones that work.
import { type Attack, exchanges, unavailable } from './arena.js';
import { type CellOptions, type Place, race } from './harness.js';
import type { Operation } from './operations.js';
import { peers } from './peers.js';
import type { Tally } from './stage.js';

export const attacks: readonly Attack[] = exchanges.flatMap((exchange) => [
  { exchange, side: 'source' },
  { exchange, side: 'destination' },
]);

export interface Cell {
  readonly operation: Operation;
  readonly attack: Attack;
}

export interface Outcome extends Cell {
  readonly tally: Tally;
}

/** Every operation with every attack on a tree that it has; and why some cannot be run here. */
export function cellsOf(
  operations: readonly Operation[],
  wanted: readonly Attack[],
): { readonly cells: readonly Cell[]; readonly skipped: readonly string[] } {
  const [cells, skipped]: [Cell[], Set<string>] = [[], new Set()];
  for (const operation of operations) {
    for (const attack of wanted) {
      if (!operation.sides.includes(attack.side)) continue;
      const reason = unavailable(attack) ?? operation.unavailable?.(attack);
      if (reason === undefined) cells.push({ operation, attack });
      else skipped.add(`${operation.name}, ${attack.exchange}: ${reason}`);
    }
  }
  return { cells, skipped: [...skipped] };
}

/** A sample of an attack's cells: of an operation that runs on two engines one, the other one with the next turn. */
export function oneEngineEach(cells: readonly Cell[], turn: number): Cell[] {
  const engines = new Map<string, Cell[]>();
  for (const cell of cells) {
    const { name, onRing = name } = cell.operation;
    engines.set(onRing, [...(engines.get(onRing) ?? []), cell]);
  }
  return [...engines.values()].map((each, index) => each[(index + turn) % each.length]!);
}

export function isRed({ escapes, hangs }: Tally): boolean {
  return escapes + hangs > 0;
}

/** How long the controls of one attack are tried before the harness counts as broken. */
const untilBroken = 60_000;

/** Runs the peers under one attack, each until it is red; all of them, or until one is. None that is red after a minute: broken. */
export async function control(
  place: Place,
  attack: Attack,
  options: Pick<CellOptions, 'milliseconds'> & { readonly every: boolean },
  told: (outcome: Outcome) => void = () => {},
): Promise<boolean> {
  const { cells } = cellsOf(peers, [attack]);
  const end = performance.now() + untilBroken;
  let red = false;
  for (let round = 0; !red && (round === 0 || performance.now() < end); round++) {
    for (const cell of cells) {
      const tally = await race(place, cell.operation, attack, { ...options, untilRed: true });
      if (round === 0 || isRed(tally)) told({ ...cell, tally });
      red ||= isRed(tally);
      if (red && !options.every) return true;
    }
  }
  return red;
}
