// What a sweep came to: a table, and each defect with the words that run it alone.
import { wordsOf } from './faults.js';
import { DEFECTS, GOOD, isDefect, type Outcome } from './outcome.js';
import type { Fault } from './sweep.js';

const columns = [...Object.keys(GOOD), ...Object.keys(DEFECTS)] as Outcome['is'][];

export class Tally {
  readonly #rows = new Map<string, Map<Outcome['is'], number>>();
  readonly defects: string[] = [];

  add(subject: string, fault: Fault, outcome: Outcome): void {
    const row = this.#rows.get(subject) ?? new Map<Outcome['is'], number>();
    this.#rows.set(subject, row.set(outcome.is, (row.get(outcome.is) ?? 0) + 1));
    if (!isDefect(outcome)) return;
    const details = outcome.details.map((line) => `\n      ${line}`).join('');
    this.defects.push(
      `${outcome.is} (${DEFECTS[outcome.is as keyof typeof DEFECTS]}): --subject ${subject} --point ${wordsOf(fault)}   ${fault.about}${details}`,
    );
  }

  /** In Markdown; columns of which nothing came are left out, but for the good ones. */
  table(): string {
    const total = (is: Outcome['is']): number =>
      [...this.#rows.values()].reduce((sum, row) => sum + (row.get(is) ?? 0), 0);
    const shown = columns.filter((is) => is in GOOD || total(is) > 0);
    const count = (row: ReadonlyMap<string, number>): number => [...row.values()].reduce((sum, each) => sum + each, 0);
    const lines = [...this.#rows].map(([name, row]) => [name, count(row), ...shown.map((is) => row.get(is) ?? 0)]);
    const points = [...this.#rows.values()].reduce((sum, row) => sum + count(row), 0);
    return [
      ['subject', 'faults', ...shown],
      ['---', ...Array(shown.length + 1).fill('---:')],
      ...lines,
      ['all', points, ...shown.map(total)],
    ]
      .map((cells) => `| ${cells.join(' | ')} |`)
      .join('\n');
  }
}
