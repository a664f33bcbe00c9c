// npm run bench:atomic [-- --rounds 7] [--writes 200] [--place DIR] [--size 1000]: small files replaced, peers side by side at the same
// level of durability.
//
//   level   none: rename alone · data: fsync of the file · full: and of its directory
//   peers   drivers/atomic/: of those that know no full, the directory's fsync is added by hand
//
// One process a trial, rounds interleaved, ratios within the round. First every driver must show that it did the work: the content is there,
// nothing else is, and strace has seen as many fsyncs as the level asks for.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    writes: { type: 'string', default: '200' },
    size: { type: 'string', default: '1000' },
    place: { type: 'string', default: tmpdir() },
  },
});
const rounds = Number(values.rounds);
const trial = join(import.meta.dirname, 'lib/atomic-trial.mjs');

const cases = [
  {
    name: 'none, one writer',
    level: 'none',
    writers: 1,
    drivers: ['dirfd', 'write-file-atomic', 'atomically', 'steno'],
  },
  { name: 'data, one writer', level: 'data', writers: 1, drivers: ['dirfd', 'write-file-atomic', 'atomically'] },
  { name: 'full, one writer', level: 'full', writers: 1, drivers: ['dirfd', 'write-file-atomic', 'atomically'] },
  {
    name: 'none, 16 writers',
    level: 'none',
    writers: 16,
    drivers: ['dirfd', 'write-file-atomic', 'atomically', 'steno'],
  },
  { name: 'data, 16 writers', level: 'data', writers: 16, drivers: ['dirfd', 'write-file-atomic', 'atomically'] },
  { name: 'full, 16 writers', level: 'full', writers: 16, drivers: ['dirfd', 'write-file-atomic', 'atomically'] },
];

console.log(
  `Linux ${execFileSync('uname', ['-r'], { encoding: 'utf8' }).trim()}, Node ${process.versions.node}, load ${loadavg()[0]?.toFixed(1)}`,
);
console.log(`${values.writes} writes of ${values.size} bytes a trial, ${rounds} rounds, below ${values.place}`);
const seconds = new Map();
for (const { name, level, writers, drivers } of cases) {
  for (const driver of drivers) check(driver, level, writers);
  const times = new Map(drivers.map((driver) => [driver, []]));
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < drivers.length; turn++) {
      const driver = drivers[(round + turn) % drivers.length];
      times.get(driver).push(run(driver, level, writers, Number(values.writes)));
    }
  }
  for (const [driver, list] of times) seconds.set(`${driver} ${level} ${writers}`, list);
  report(name, drivers, times);
}
crossReport();

/** Microseconds a write. */
function run(driver, level, writers, writes) {
  const place = mkdtempSync(join(values.place, 'dirfd-bench-'));
  try {
    const args = [trial, driver, level, String(writers), String(writes), values.size, place];
    return Number(execFileSync(process.execPath, args, { encoding: 'utf8' }));
  } finally {
    rmSync(place, { recursive: true });
  }
}

function check(driver, level, writers) {
  const place = mkdtempSync(join(values.place, 'dirfd-bench-'));
  const files = join(place, 'files');
  const trace = join(place, 'trace');
  mkdirSync(files);
  try {
    const writes = writers * 2;
    const command = [process.execPath, trial, driver, level, String(writers), String(writes), values.size, files];
    const ran = spawnSync('strace', ['-f', '-y', '-e', 'trace=fsync,fdatasync', '-o', trace, ...command], {
      encoding: 'utf8',
    });
    if (ran.status !== 0) throw new Error(ran.stderr);
    const left = readdirSync(files);
    if (left.length !== writers) throw new Error(`${left.length} files instead of ${writers}: ${left}`);
    for (const name of left) {
      const text = readFileSync(join(files, name), 'utf8');
      if (text.length !== Number(values.size) || !/^(.)\1*$/.test(text)) throw new Error(`${name} has not the content`);
    }
    const lines = readFileSync(trace, 'utf8')
      .split('\n')
      .filter((line) => /f(data)?sync\(/.test(line));
    const ofDirectory = lines.filter((line) => line.includes(`<${files}>`)).length;
    const ofFiles = lines.length - ofDirectory;
    if (level === 'none' && lines.length > 0) throw new Error(`${lines.length} fsyncs at level none`);
    if (level !== 'none' && ofFiles < writes) throw new Error(`${ofFiles} fsyncs of ${writes} files`);
    if (level === 'full' && ofDirectory === 0) throw new Error('no fsync of the directory');
  } catch (error) {
    throw new Error(`${driver}, ${level}, ${writers} writers: ${error.message}`, { cause: error });
  } finally {
    rmSync(place, { recursive: true });
  }
}

function report(name, drivers, times) {
  console.log(`\n### ${name}\n| | µs a write | min–max | × dirfd |\n|---|---|---|---|`);
  for (const driver of drivers) {
    const list = times.get(driver);
    const ratios = list.map((value, round) => value / times.get('dirfd')[round]);
    const spread = `${Math.min(...list).toFixed(0)}–${Math.max(...list).toFixed(0)}`;
    console.log(`| ${driver} | ${median(list).toFixed(0)} | ${spread} | ${median(ratios).toFixed(2)} |`);
  }
}

/** The goal: with the directory's fsync no slower than the peers without. */
function crossReport() {
  const ours = median(seconds.get('dirfd full 16'));
  for (const peer of ['write-file-atomic', 'atomically']) {
    const theirs = median(seconds.get(`${peer} data 16`));
    console.log(
      `\n16 writers: ${peer} with the file's fsync alone takes ${(theirs / ours).toFixed(2)} × dirfd's time with both.`,
    );
  }
}

function median(list) {
  const sorted = [...list].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}
