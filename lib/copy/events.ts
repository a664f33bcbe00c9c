/** What a copy tells while it runs. */

import type { Kind } from '../dirfd/kind.js';
import type { ProblemEvent } from './report.js';

export interface CopyEntryEvent {
  readonly type: 'entry';
  /**
   * `'metadata'`: the content is the same; mode, owner, times, xattrs or ACLs differ and are set right.
   */
  readonly action: 'create' | 'replace' | 'metadata' | 'delete';
  readonly kind: Kind;
  readonly path: string;
  readonly pathBytes: Buffer;
  /** What differs, in rsync's notation: eleven characters, such as `>f.st......`, `cd+++++++++` or `*deleting  `. */
  readonly changes: string;
  /** The name that was copied, where this is a further name of the same file. */
  readonly linkTo?: string;
}

export type CopyEvent = CopyEntryEvent | ProblemEvent;

/** One consumer's queue; nothing is kept for those who do not iterate. */
export class EventQueue<Event> {
  readonly #events: Event[] = [];
  #wake: (() => void) | undefined;
  #ended = false;

  push(event: Event): void {
    this.#events.push(event);
    this.#wake?.();
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  async *drain(): AsyncGenerator<Event, void, undefined> {
    for (;;) {
      yield* this.#events.splice(0);
      if (this.#events.length > 0) continue;
      if (this.#ended) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
