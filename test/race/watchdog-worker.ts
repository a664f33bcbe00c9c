// The watchdog's thread: frees what waits on a FIFO, and ends the process when that does not help.
import { writeSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { wakeWaiters } from './waiters.js';
import { lastResort, patience, type WatchdogData } from './watchdog.js';

const { since } = workerData as WatchdogData;
let fifos: readonly string[] = [];
parentPort?.on('message', (names: readonly string[]) => {
  fifos = names;
});

parentPort?.postMessage('watching');

setInterval(() => {
  const began = Number(Atomics.load(since, 0));
  if (began === 0 || Date.now() - began < patience) return;
  for (const fifo of fifos) wakeWaiters(fifo);
  if (Date.now() - began < lastResort) return;
  writeSync(2, 'race: an operation hangs and cannot be freed\n');
  process.kill(process.pid, 'SIGKILL');
}, 50);
