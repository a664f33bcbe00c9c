/** Read, change, write: no change of anybody who does the same is lost. */

import { toInteger } from '../dirfd/flags.js';
import { unless } from '../dirfd/unless.js';
import { FsError } from '../errors.js';
import { ConflictError } from '../operation-errors.js';
import { retrying } from './failures.js';
import { lettingGo } from './let-go.js';
import { lockNamed } from './lock-named.js';
import { toReplaceHow } from './options.js';
import { formatOf, readData } from './read.js';
import type { AtomicWriteResult } from './replace.js';
import { type AtomicTarget, type HeldTarget, holdPinned } from './target.js';
import { type WriteJsonOptions, writeJson, writeYaml } from './write.js';

/** How a file is updated. */
export interface UpdateOptions extends Omit<WriteJsonOptions, 'createOnly' | 'ifUnchanged' | 'symlinks'> {
  /** How often the function is called at most, where others who take no lock change the file meanwhile. Default 10. */
  readonly conflicts?: number | undefined;
  /** Milliseconds to wait for others who update the file. Default 30,000; then a LockTimeoutError. */
  readonly timeout?: number | undefined;
}

/**
 * Replaces JSON (or YAML, by the name's end) by what the function makes of it, under a lock that all who use updateJson respect, in any
 * process of this machine. Somebody who writes without the lock is noticed as well: the function is called again, with their data.
 *
 * The lock lies on the file itself, which must be writable, and leaves nothing behind.
 *
 * @param change given the data, undefined where there is no file; what it returns is written. Undefined: the data that it was given,
 * changed in place
 * @throws ConflictError where the file is changed again and again
 * @throws LockTimeoutError where others have held the lock all the time
 */
export async function updateJson<T = unknown>(
  target: AtomicTarget,
  change: (data: T | undefined) => T | undefined | Promise<T | undefined>,
  options: UpdateOptions = {},
): Promise<AtomicWriteResult> {
  const { conflicts = 10, timeout = 30_000, ...write } = options;
  const { signal } = write;
  const how = toReplaceHow(write, { verb: 'updateJson' });
  const [given, held] = await holdPinned(target, 'updateJson', false, write, how);
  const { directory, path, subject } = held;
  const read = () => retrying(how, signal, () => readData(held, formatOf(subject.path ?? path)));
  return lettingGo([held, given], subject, async () => {
    const tries = toInteger(conflicts, 'conflicts', 1, 1_000_000, subject);
    const patience = { deadline: performance.now() + timeout, timeout, signal };
    for (let attempt = 1; ; attempt++) {
      const lock = await retrying(how, signal, () => lockNamed(directory, path, patience, subject));
      try {
        return await lettingGo([lock], subject, async () => {
          // Without the lock there was no file. One that has come since is not read: its content could be changed by whoever has its lock,
          // between our comparison and our write. That the new file may only be made tells it.
          const old = lock && (await unless('ENOENT', read()));
          return await updateOnce(held, old, change, write);
        });
      } catch (error) {
        const isMeanwhile = error instanceof ConflictError || (error instanceof FsError && error.code === 'EEXIST');
        if (!isMeanwhile || attempt >= tries) throw error;
      }
    }
  });
}

async function updateOnce<T>(
  held: HeldTarget,
  old: Awaited<ReturnType<typeof readData>> | undefined,
  change: (data: T | undefined) => T | undefined | Promise<T | undefined>,
  options: WriteJsonOptions,
): Promise<AtomicWriteResult> {
  const { directory, path, subject } = held;
  const made = await change(old?.data as T | undefined);
  // Null is data.
  const data = made === undefined ? old?.data : made;
  const write = formatOf(subject.path ?? path) === 'yaml' ? writeYaml : writeJson;
  return write({ directory, path }, data, {
    ...options,
    ...(old ? { ifUnchanged: old.unchanged } : { createOnly: true }),
  });
}
