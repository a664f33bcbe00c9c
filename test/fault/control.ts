// The red control: cp -a, swept and judged in the same way. coreutils copies extended attributes as well as it can and is silent about what
// it cannot, so a judge that finds nothing amiss here is blind.
import { mkdirSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { strace } from '../fixtures/strace.js';
import { removeAnything } from '../fixtures/temporary.js';
import { sameTree } from './judges.js';
import { classify, type Outcome } from './outcome.js';
import { pointsOf } from './points.js';
import type { Fault } from './sweep.js';
import { oneOfEach } from './tree.js';

/** Sweeps EIO through the calls of `cp -a` that `calls` matches, and tells of each fault what came of it. */
export function sweepControl(root: string, calls: RegExp, tell: (fault: Fault, outcome: Outcome) => void): void {
  const base = mkdtempSync(join(root, 'dirfd-fault-'));
  const [source, copy] = [join(base, 'source'), join(base, 'copy')];
  const command = ['cp', '-a', '--', `${source}/.`, copy];
  try {
    mkdirSync(source);
    oneOfEach(source);
    const { events } = strace(command);
    removeAnything(copy);
    const thread = events[0]?.pid ?? 0;
    for (const point of pointsOf(events, [thread], false)) {
      if (!calls.test(point.call) || !point.about.startsWith(base)) continue;
      const fault = { ...point, fault: 'EIO' };
      const {
        status,
        stderr,
        events: injected,
      } = strace(command, {
        trace: [point.call],
        inject: [`${point.call}:error=EIO:when=${point.nth}`],
      });
      const answer = {
        complete: status === 0,
        told: stderr
          .split('\n')
          .filter(Boolean)
          .map((message) => ({ path: '', code: 'cp', message: `EIO: ${message}, cp 'tree' in 'place'` })),
      };
      const isHit = injected.some((event) => event.injected);
      tell(fault, isHit ? classify(answer, sameTree(copy, source)) : { is: 'missed', details: [] });
      removeAnything(copy);
    }
  } finally {
    removeAnything(base);
  }
}
