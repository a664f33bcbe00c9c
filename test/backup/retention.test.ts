// Rules of retention against a naive model that sorts, groups and counts with the calendar of Date.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { keptBy } from '#dist/backup/retention.js';
import { newId } from '#dist/backup/store.js';

const HOUR = 3_600_000;
const rules = ['hourly', 'daily', 'weekly', 'monthly'] as const;

/** The beginning of the period that a time lies in. */
function beginning(rule: (typeof rules)[number], created: string): number {
  const date = new Date(created);
  const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()];
  if (rule === 'hourly') return Date.UTC(year, month, day, date.getUTCHours());
  if (rule === 'daily') return Date.UTC(year, month, day);
  // From Monday on: Sunday is the seventh day.
  if (rule === 'weekly') return Date.UTC(year, month, day - ((date.getUTCDay() + 6) % 7));
  return Date.UTC(year, month);
}

interface Version {
  readonly id: string;
  readonly created: string;
  readonly source: string;
}

function model(
  policy: Readonly<Record<string, number | undefined>>,
  versions: readonly Version[],
  now: number,
): string[] {
  return versions
    .filter((version) => {
      const newestFirst = versions
        .filter(({ source }) => source === version.source)
        .sort((a, b) => (a.id < b.id ? 1 : -1));
      const rank = newestFirst.indexOf(version);
      if (rank < (policy.count ?? 0)) return true;
      if (policy.maxAge !== undefined && new Date(version.created).getTime() >= now - policy.maxAge) return true;
      return rules.some((rule) => {
        const mine = beginning(rule, version.created);
        const isNewestOfIts = !newestFirst.slice(0, rank).some(({ created }) => beginning(rule, created) === mine);
        const younger = new Set(newestFirst.slice(0, rank).map(({ created }) => beginning(rule, created)));
        return isNewestOfIts && younger.size < (policy[rule] ?? 0);
      });
    })
    .map(({ id }) => id)
    .sort();
}

test('any policy keeps of any versions what the naive model keeps, in whatever time zone', (t) => {
  const zone = process.env.TZ;
  t.after(() => {
    if (zone === undefined) delete process.env.TZ;
    else process.env.TZ = zone;
  });
  // Around changes of the clocks, ends of months and years, and a leap day; hours apart, or months.
  const starts = ['2024-02-28T20:00Z', '2025-03-30T00:00Z', '2025-11-02T04:00Z', '2025-12-31T20:00Z'].map(Date.parse);
  const time = fc
    .record({
      start: fc.constantFrom(...starts),
      step: fc.constantFrom(HOUR / 3, 7 * HOUR, 200 * HOUR),
      steps: fc.nat(12),
    })
    .map(({ start, step, steps }) => new Date(start + step * steps));
  const few = fc.option(fc.nat(4), { nil: undefined });
  const policies = fc.record({
    ...{ count: few, hourly: few, daily: few, weekly: few, monthly: few },
    maxAge: fc.option(fc.integer({ min: 1, max: 400 * HOUR }), { nil: undefined }),
  });
  fc.assert(
    fc.property(
      ...([fc.array(fc.tuple(time, fc.constantFrom('a', 'b')), { maxLength: 25 }), policies, time] as const),
      fc.constantFrom('UTC', 'America/New_York', 'Pacific/Apia', 'Asia/Kathmandu'),
      (times, policy, now, place) => {
        fc.pre(Object.values(policy).some((value) => (value ?? 0) > 0));
        process.env.TZ = place;
        const versions = times.map(([created, source]) => ({
          ...{ id: newId(created), created: created.toISOString(), source },
        }));
        const kept = keptBy(policy, versions, now.getTime(), { verb: 'test' });
        assert.deepEqual([...kept].sort(), model(policy, versions, now.getTime()));
      },
    ),
    { numRuns: 500 },
  );
});
