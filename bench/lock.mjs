// npm run bench:lock [-- --rounds 9] [--pairs 300] [--place DIR]: an uncontended lock taken and given back, peers side by side in one
// process, rounds interleaved. The processor time is that of all threads; where the machine is busy, it is the figure to look at.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { FileLock, LockManager } from '../dist/lock/main.js';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '9' },
    pairs: { type: 'string', default: '300' },
    place: { type: 'string', default: tmpdir() },
  },
});
const pairs = Number(values.pairs);
const place = mkdtempSync(join(values.place, 'dirfd-bench-lock-'));
const file = join(place, 'file');
writeFileSync(file, '');
const manager = await LockManager.open(place);
const fileLock = await FileLock.open(place, 'x.lock');
const handle = await open(file, 'r+');

const drivers = {
  'dirfd LockManager': async () => (await manager.acquire('id')).release(),
  'dirfd FileLock': async () => {
    await fileLock.lock();
    await fileLock.unlock();
  },
};
try {
  const { default: properLockfile } = await import('proper-lockfile');
  drivers['proper-lockfile'] = async () => (await properLockfile.lock(file, { realpath: false }))();
  const { default: native } = await import('fs-native-extensions');
  drivers['fs-native-extensions'] = async () => {
    await native.waitForLock(handle.fd);
    native.unlock(handle.fd);
  };
} catch (error) {
  console.log(`without all peers (npm run bench:install): ${error.message}`);
}

const kernel = execFileSync('uname', ['-r'], { encoding: 'utf8' }).trim();
console.log(`Linux ${kernel}, Node ${process.versions.node}, load ${loadavg()[0]?.toFixed(1)}, ${pairs} pairs a round`);
const rounds = new Map(Object.keys(drivers).map((name) => [name, []]));
for (const run of Object.values(drivers)) for (let i = 0; i < 1000; i++) await run();
for (let round = 0; round < Number(values.rounds); round++) {
  for (const [name, run] of Object.entries(drivers)) {
    const [started, before] = [performance.now(), process.cpuUsage()];
    for (let i = 0; i < pairs; i++) await run();
    const { user, system } = process.cpuUsage(before);
    rounds.get(name).push({ wall: ((performance.now() - started) * 1000) / pairs, cpu: (user + system) / pairs });
  }
}

const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1];
console.log('| | µs a pair | fastest round | CPU µs |\n|---|---|---|---|');
for (const [name, list] of rounds) {
  const walls = list.map(({ wall }) => wall);
  const cells = [median(walls), Math.min(...walls), median(list.map(({ cpu }) => cpu))].map((value) =>
    value.toFixed(1),
  );
  console.log(`| ${name} | ${cells.join(' | ')} |`);
}
await manager.close();
await fileLock.close();
await handle.close();
rmSync(place, { recursive: true });
