// node ring-runs.js PLACE: each operation that is raced on io_uring, twice and without a race, between marks that a trace shows.
import { accessSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Arena } from './arena.js';
import { operations } from './operations.js';
import { Stage, Tally } from './stage.js';
import { Watchdog } from './watchdog.js';

const [, , place = ''] = process.argv;
await using watchdog = await Watchdog.start();
for (const [index, operation] of operations.filter(({ onRing }) => onRing !== undefined).entries()) {
  const here = join(place, `${index}`);
  mkdirSync(here);
  const arena = new Arena(here, { exchange: 'directory-symlink', side: 'source' }, 1, operation.files);
  mark(`begin-${index}`);
  // The destination is there only in one of them.
  for (let run = 0; run < 2; run++) {
    arena.restore();
    await using stage = await Stage.open(arena, new Tally(), watchdog);
    await operation.run(stage);
  }
  mark(`end-${index}`);
}

/** As test/fixtures/strace.ts looks for it. */
function mark(label: string): void {
  try {
    accessSync(`/dirfd-mark-${label}`);
  } catch {}
}
