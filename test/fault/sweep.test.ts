// A seeded sample of what `npm run faults` sweeps in whole, so that each subject runs; and the judge, judged.
import assert from 'node:assert/strict';
import test from 'node:test';
import { quickTemporaryRoot } from '../fixtures/temporary.js';
import { requireTool } from '../fixtures/tools.js';
import { sweepControl } from './control.js';
import { faultsOf } from './faults.js';
import { isDefect } from './outcome.js';
import { Place } from './place.js';
import { canAttach } from './process.js';
import { subjects } from './subjects.js';
import { Sweep } from './sweep.js';
import { Tally } from './tally.js';

/** Of each subject. */
const SAMPLE = 4;

for (const subject of subjects) {
  test(`${subject.name}: whatever call fails or is its last, all is done or told by name`, async (t) => {
    const reason = subject.unavailable?.();
    if (reason !== undefined) return t.skip(reason);
    if (!canAttach(t)) return;
    const place = await Place.make(subject, quickTemporaryRoot());
    const sweep = new Sweep(subject, place);
    const tally = new Tally();
    let injected = 0;
    try {
      const points = await sweep.points();
      for (const fault of faultsOf(points, { errnos: 'all', kill: subject.writes, sample: SAMPLE, seed: 1 })) {
        const outcome = await sweep.inject(fault);
        if (outcome.is !== 'absent') injected++;
        tally.add(subject.name, fault, outcome);
      }
    } finally {
      await sweep.end();
      place.remove();
    }
    assert.deepEqual(tally.defects, []);
    assert.ok(injected > 0, 'none of the faults came to pass');
  });
}

test('the judge sees what cp -a leaves out in silence', (t) => {
  if (!canAttach(t) || !requireTool(t, 'setfattr', 'setfacl')) return;
  const seen: string[] = [];
  sweepControl(quickTemporaryRoot(), /xattr/, (_fault, outcome) => seen.push(outcome.is));
  assert.ok(seen.includes('silent'), `of ${seen.length} faults none was silent: ${[...new Set(seen)]}`);
  assert.ok(
    seen.filter((is) => is !== 'silent').every((is) => !isDefect({ is, details: [] } as never) || is === 'missed'),
  );
});
