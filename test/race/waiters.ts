// Who waits at a FIFO for the other end, fifo(7), is woken by one that opens both.
import { closeSync, constants, openSync } from 'node:fs';

/** Where there is none at the moment, nothing is done. */
export function wakeWaiters(fifo: string): void {
  try {
    closeSync(openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK | constants.O_NOFOLLOW));
  } catch {
    // It is a symlink, a directory or gone; whoever asks often comes again.
  }
}
