// Where a subject runs: a fixed part, made once, and a part that is put back before every run.
import { chmodSync, mkdirSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { run } from '../fixtures/command.js';
import { removeAnything } from '../fixtures/temporary.js';
import type { Subject } from './subject.js';

/** After which a file counts as left alone, so that a copy looks at it in the same way each time (native/ops/settled.h). */
const SETTLED = 150;

export class Place {
  readonly base: string;
  readonly fixed: string;
  readonly work: string;
  readonly #model: string;

  private constructor(base: string) {
    this.base = base;
    [this.fixed, this.work, this.#model] = [join(base, 'fixed'), join(base, 'work'), join(base, 'model')];
  }

  static async make(subject: Subject, root: string): Promise<Place> {
    const place = new Place(mkdtempSync(join(root, 'dirfd-fault-')));
    try {
      chmodSync(place.base, 0o755);
      mkdirSync(place.fixed);
      mkdirSync(place.#model);
      subject.makeFixed?.(place.fixed);
      await subject.makeWork?.(place.#model, place.fixed);
      await sleep(SETTLED);
      place.restore();
    } catch (error) {
      place.remove();
      throw error;
    }
    return place;
  }

  restore(): void {
    removeAnything(this.work);
    run('cp', ['-a', '--', this.#model, this.work]);
  }

  remove(): void {
    removeAnything(this.base);
  }
}
