// The lines of the race's table.
import type { Outcome } from './plan.js';

const widths = [26, 30, 8, 10, 8, 6] as const;

export const heading = line(['operation', 'exchanged', 'runs', 'exchanges', 'escapes', 'hangs'], 'errors, by code');

export function formatRow({ operation, attack, tally }: Outcome): string {
  const { runs, exchanges, escapes, hangs, errors } = tally;
  const attacked = `${attack.exchange.replace('-', ' ↔ ')}, ${attack.side}`;
  const byCode = [...errors].sort(([, a], [, b]) => b - a).map(([code, count]) => `${code} ${count}`);
  return line([operation.name, attacked, runs, exchanges, escapes, hangs], byCode.join(', '));
}

function line(cells: readonly (string | number)[], last: string): string {
  const padded = cells.map((cell, index) =>
    typeof cell === 'string' && index < 2 ? cell.padEnd(widths[index]!) : String(cell).padStart(widths[index]!),
  );
  return `${padded.join(' ')}  ${last}`.trimEnd();
}
