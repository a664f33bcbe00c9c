/** A trail in numbers: what was done how often, and with what success. */

import type { AuditEntry } from './observe.js';

/** One kind of operation. */
export interface AuditSummaryRow {
  readonly operation: string;
  readonly done: number;
  readonly failed: number;
  /** Milliseconds, on average and at most. */
  readonly averageDuration: number;
  readonly longestDuration: number;
  /** ISO 8601. */
  readonly lastTime: string;
}

export async function summarizeAuditTrail(
  records: AsyncIterable<AuditEntry> | Iterable<AuditEntry>,
): Promise<AuditSummaryRow[]> {
  const tally = new AuditTally();
  for await (const record of records) tally.add(record);
  return tally.rows;
}

/** The numbers so far. */
export class AuditTally {
  readonly #rows = new Map<string, { done: number; failed: number; total: number; longest: number; last: string }>();

  add({ operation, outcome, duration, time }: AuditEntry): void {
    const row = this.#rows.get(operation) ?? { done: 0, failed: 0, total: 0, longest: 0, last: '' };
    this.#rows.set(operation, row);
    row[outcome === 'failed' ? 'failed' : 'done']++;
    row.total += duration;
    row.longest = Math.max(row.longest, duration);
    if (time > row.last) row.last = time;
  }

  /** By the operations' names. */
  get rows(): AuditSummaryRow[] {
    return [...this.#rows]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([operation, { done, failed, total, longest, last }]) => ({
        operation,
        done,
        failed,
        averageDuration: total / (done + failed),
        longestDuration: longest,
        lastTime: last,
      }));
  }
}

/** The rows as a table of text, a line each. */
export function formatAuditSummary(rows: readonly AuditSummaryRow[]): string {
  const cells = rows.map((row) => [
    row.operation,
    String(row.done),
    String(row.failed),
    `${row.averageDuration.toFixed(1)} ms`,
    `${row.longestDuration.toFixed(1)} ms`,
    row.lastTime,
  ]);
  const table = [['operation', 'done', 'failed', 'average', 'longest', 'last'], ...cells];
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...table.map((line) => (line[column] ?? '').length)));
  const pad = (cell: string, column: number) => {
    const width = widths[column] ?? 0;
    return column === 0 ? cell.padEnd(width) : cell.padStart(width);
  };
  return table.map((line) => `${line.map(pad).join('  ').trimEnd()}\n`).join('');
}
