// npm run bench:memory -- [walk|copy…] [--rounds N]: does the memory of a job grow with its tree?
//
// The same job over 100,000 and over 1,000,000 entries, peak resident set of the whole process. Copies go
// to a fresh ext4 and need root.
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { corpus } from './lib/corpus.mjs';
import { freshFileSystem } from './lib/images.mjs';
import { machine } from './lib/machine.mjs';
import { median } from './lib/report.mjs';
import { trial } from './lib/trial.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '3' },
    place: { type: 'string', default: join(tmpdir(), 'dirfd-bench') },
    node: { type: 'string', default: process.execPath },
  },
});
const options = { ...values, rounds: Number(values.rounds), scale: 'see below' };
const jobs = positionals.length > 0 ? positionals : ['walk', 'copy'];
const sizes = { '100,000': 0.1, '1,000,000': 1 };

console.log(machine(options).lines.join('\n'));
console.log('\n| peak MiB of | 100,000 entries | 1,000,000 entries | more |\n|---|---|---|---|');
for (const job of jobs) {
  const driver = { name: `dirfd ${job}`, ...(await import(`./drivers/${job}/dirfd.mjs`)) };
  driver.path = join(import.meta.dirname, 'drivers', job, 'dirfd.mjs');
  const peaks = Object.values(sizes).map((scale) => {
    const source = corpus('many', scale, options.place);
    const runs = Array.from({ length: options.rounds }, () => (job === 'walk' ? walk : copy)(driver, source));
    return median(runs.map(({ peakMiB }) => peakMiB));
  });
  console.log(
    `| ${driver.name} | ${peaks[0].toFixed(0)} | ${peaks[1].toFixed(0)} | ${(peaks[1] - peaks[0]).toFixed(0)} |`,
  );
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
