/** What happens during a copy, told as it happens: in lines for people, or in JSON for programs. */

import type { CopyEvent, CopyReport } from '../index.js';
import { Failures } from './failures.js';
import { plainEvent } from './json-events.js';
import { CommandError } from './messages.js';
import { NotKeptGroups } from './not-kept.js';
import type { Output } from './output.js';
import { printable, printableBytes } from './terminal.js';

export class CopyTeller {
  readonly #output: Output;
  readonly #json: boolean;
  readonly #failures: Failures;
  readonly #notKept = new NotKeptGroups();
  #last: unknown;

  constructor(command: string, output: Output, json: boolean) {
    this.#output = output;
    this.#json = json;
    this.#failures = new Failures(command);
  }

  tell(event: CopyEvent): Promise<void> | undefined {
    this.#note(event);
    if (this.#json) return this.#output.json(plainEvent(event));
    if (event.type !== 'entry') return undefined;
    // As rsync writes it, also where the copy itself is meant.
    const slash = event.kind === 'directory' ? '/' : '';
    this.#output.write(`${event.changes} ${event.pathBytes.length === 0 ? '.' : ''}`);
    if (!this.#output.isTTY) this.#output.writeBytes(event.pathBytes);
    else this.#output.write(printableBytes(event.pathBytes));
    return this.#output.write(`${slash}${event.linkTo === undefined ? '' : ` => ${printable(event.linkTo)}`}\n`);
  }

  /** What ended the copy, unless it was told as an event already. */
  fail(error: unknown): void {
    if (error !== this.#last) this.#failures.add(error);
  }

  end(): void {
    this.#failures.end();
    this.#notKept.tell();
  }

  #note(event: CopyEvent): void {
    if (event.type === 'error') this.#failures.add((this.#last = event.error));
    else if (event.type === 'not-kept') this.#notKept.add(event);
    else if (event.type === 'vanished') {
      this.#failures.add(new CommandError(`vanished while the tree was read: ${printableBytes(event.pathBytes)}`));
    }
  }
}

/** The counts of a report: its lists have been told one by one. */
export function plainReport({
  errors: _errors,
  notKept: _notKept,
  vanished: _vanished,
  ...counts
}: CopyReport): unknown {
  return { type: 'report', ...counts };
}
