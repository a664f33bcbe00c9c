/** Failures one by one, as they happen: the first of them on a line each, the rest as a number. A full disk fails a million times. */

import { complain, say } from './messages.js';
import { count } from './units.js';

/** Lines at most; --json has them all. */
const LISTED = 100;

export class Failures {
  readonly #command: string;
  #count = 0;
  #told = 0;

  constructor(command: string) {
    this.#command = command;
  }

  get count(): number {
    return this.#count;
  }

  add(error: unknown): void {
    this.#count++;
    if (this.#told >= LISTED) return;
    this.#told++;
    complain(this.#command, error);
  }

  /** Failures of which only the number is known. */
  addUntold(failures: number): void {
    this.#count += failures;
  }

  /** Says how many were not shown. */
  end(): void {
    if (this.#count > this.#told) say(`${this.#command}: … and ${count(this.#count - this.#told)} more failures`);
  }
}
