// The watchdog's thread: frees what waits on a FIFO, and ends the process when that does not help.
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
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
  for (const fifo of fifos) free(fifo);
  if (Date.now() - began < lastResort) return;
  writeSync(2, 'race: an operation hangs and cannot be freed\n');
  process.kill(process.pid, 'SIGKILL');
}, 50);

/** Opening a FIFO at both ends wakes whoever waits for the other end, fifo(7). */
function free(fifo: string): void {
  try {
    closeSync(openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK | constants.O_NOFOLLOW));
  } catch {
    // It is a symlink, a directory or gone at the moment; the next turn comes soon.
  }
}
