// A source and a destination side by side, for tests of copyTree.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { CopyReport } from 'dirfd';
import { type TestLike, temporaryDirectory } from '../fixtures/temporary.js';

export interface Pair {
  readonly base: string;
  readonly source: string;
  /** Not there yet. */
  readonly destination: string;
  /** Paths below the source and below the destination. */
  readonly from: (...names: string[]) => string;
  readonly to: (...names: string[]) => string;
}

export function pair(t: Pick<TestLike, 'after'>, fill?: (source: string) => void): Pair {
  return pairIn(temporaryDirectory(t), fill);
}

/** In a directory that is there. */
export function pairIn(base: string, fill?: (source: string) => void): Pair {
  const [source, destination] = [join(base, 'source'), join(base, 'destination')];
  mkdirSync(source);
  fill?.(source);
  return {
    ...{ base, source, destination },
    from: (...names) => join(source, ...names),
    to: (...names) => join(destination, ...names),
  };
}

/** Asserts that everything was copied and kept. */
export function assertComplete(report: CopyReport): void {
  assert.deepEqual([report.errors, report.notKept, report.exitCode], [[], [], 0]);
}
