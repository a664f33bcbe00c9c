// npm run bench:memory -- [walk|walk-slow|walk-wide|copy|copy-linked…] [--rounds N]: does the memory of a job grow with its tree?
//
// The same job over 10,000, 100,000 and 1,000,000 entries, peak resident set of the whole process. Copies go to a fresh ext4 and need
// root.
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { corpus } from './lib/corpus.mjs';
import { freshFileSystem } from './lib/images.mjs';
import { machine } from './lib/machine.mjs';
import { median } from './lib/report.mjs';
import { trial } from './lib/trial.mjs';

const allJobs = {
  walk: { name: 'walk', driver: 'walk/dirfd.mjs', run: walk },
  'walk-slow': { name: 'walk, slow consumer', driver: 'memory/walk-slow.mjs', run: walk },
  'walk-wide': { name: 'walk of one directory', driver: 'walk/dirfd.mjs', run: walk, kind: 'wide' },
  copy: { name: 'copy', driver: 'copy/dirfd.mjs', run: copy },
  'copy-linked': {
    name: 'copy, each file of two names far apart',
    driver: 'copy/dirfd.mjs',
    run: copy,
    kind: 'linked',
  },
};
/** Scales at which make_corpus makes 10,000, 100,000 and 1,000,000 entries. */
const scales = { many: [0.01, 0.1, 1], linked: [0.01, 0.1, 1], wide: [0.05, 0.5, 5] };

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '3' },
    place: { type: 'string', default: join(tmpdir(), 'dirfd-bench') },
    node: { type: 'string', default: process.execPath },
  },
});
const options = { ...values, rounds: Number(values.rounds), scale: 'see below' };
const jobs = positionals.length > 0 ? positionals : Object.keys(allJobs);

console.log(machine(options).lines.join('\n'));
console.log('\n| peak MiB of | 10,000 entries | 100,000 | 1,000,000 |\n|---|---|---|---|');
for (const job of jobs) {
  const { name, driver, run, kind = 'many' } = allJobs[job];
  const path = join(import.meta.dirname, 'drivers', driver);
  const peaks = scales[kind].map((scale) => {
    const source = corpus(kind, scale, options.place);
    const trials = Array.from({ length: options.rounds }, () => run({ name, path }, source));
    return median(trials.map(({ peakMiB }) => peakMiB)).toFixed(0);
  });
  console.log(`| ${name} | ${peaks.join(' | ')} |`);
}

function walk(driver, source) {
  return trial(driver, [source], {}, options);
}

function copy(driver, source) {
  const mount = freshFileSystem('ext4', 24, options.place);
  try {
    return trial(driver, [source, join(mount.point, 'copy')], {}, options);
  } finally {
    mount.release();
  }
}
