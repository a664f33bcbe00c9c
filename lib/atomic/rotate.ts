/** Log files handed on: log → log.1 → log.2 …, by renames, so that nothing is copied and nothing lost between. */

import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { type ObservedOptions, observed } from '../audit/observe.js';
import type { DirectoryFd } from '../dirfd/directory-fd.js';
import { toInteger } from '../dirfd/flags.js';
import { FsError } from '../errors.js';
import { type AtomicTarget, type HeldTarget, holdTarget, pin } from './target.js';
import { AtomicWriter } from './writer.js';

/** How many are kept, and in which form. */
export interface RotateOptions extends ObservedOptions {
  /** Rotated files that are kept; what is older is removed. Default 5. */
  readonly maxFiles?: number | undefined;
  /** Compress what is rotated: `log.1.gz`, with the mode and owner of the log. Default false. */
  readonly compress?: boolean | undefined;
}

/** What came of a rotation. */
export interface RotateResult {
  /** False where there was no file, and nothing was done. */
  readonly rotated: boolean;
  /** Names that were removed. */
  readonly removed: readonly string[];
}

const GZ = Buffer.from('.gz');

/**
 * Renames the file to `NAME.1`, after `NAME.1` to `NAME.2` and so on up to the first number that is free. Who has the file open goes on
 * writing to it. A crash in between leaves all files, one of them perhaps with a gap before it, which the next rotation closes; only
 * compression needs a moment in which the content is there twice.
 */
export async function rotate(target: AtomicTarget, options: RotateOptions = {}): Promise<RotateResult> {
  await using given = await holdTarget(target, 'rotate');
  await using held = await pin(given, false);
  const maxFiles = toInteger(options.maxFiles ?? 5, 'maxFiles', 1, 1_000_000, held.subject);
  const { directory, path } = held.subject;
  const facts = { operation: 'rotate', directory, path: Buffer.from(path ?? '').toString('utf8') };
  return await observed(facts, options, async (note) => {
    const result = await rotateOnce(held, maxFiles, options.compress === true);
    note({ ...result });
    return result;
  });
}

async function rotateOnce({ directory, path }: HeldTarget, maxFiles: number, compress: boolean): Promise<RotateResult> {
  if (!(await directory.exists(path))) return { rotated: false, removed: [] };
  const names = await numbered(directory, path);
  const removed: string[] = [];
  let free = 1;
  while (names.has(free) && free < maxFiles) free++;
  for (const [number, forms] of names) {
    if (number <= maxFiles && number !== free) continue;
    for (const name of forms) {
      await directory.unlink(name);
      removed.push(name.toString('utf8'));
    }
  }
  for (let number = free - 1; number >= 1; number--) {
    for (const name of names.get(number) ?? []) {
      const end = name.subarray(-3).equals(GZ) ? '.gz' : '';
      await directory.rename(name, directory, nameOf(path, number + 1, end), { noReplace: true });
    }
  }
  const first = nameOf(path, 1, '');
  await directory.rename(path, directory, first, { noReplace: true });
  await directory.sync();
  if (compress) await compressFile(directory, first);
  return { rotated: true, removed };
}

/** Of each number the names, NAME.1 and NAME.1.gz: both, where a crash came between. */
async function numbered(directory: DirectoryFd, path: Uint8Array | string): Promise<Map<number, Buffer[]>> {
  const prefix = Buffer.concat([Buffer.from(path), Buffer.from('.')]);
  const found = new Map<number, Buffer[]>();
  for (const name of await directory.readdir('.', { encoding: 'buffer' })) {
    if (!name.subarray(0, prefix.length).equals(prefix)) continue;
    const [, digits] = /^([1-9]\d{0,6})(\.gz)?$/.exec(name.subarray(prefix.length).toString('latin1')) ?? [];
    if (digits !== undefined) found.set(Number(digits), [...(found.get(Number(digits)) ?? []), name]);
  }
  return found;
}

/** The plain file goes when the compressed one is on the device. */
async function compressFile(directory: DirectoryFd, name: Buffer): Promise<void> {
  await using file = await directory.openFile(name);
  const { mode, uid, gid } = await file.stat();
  const compressed = Buffer.concat([name, GZ]);
  await using writer = new AtomicWriter({ directory, path: compressed }, { mode: mode & 0o777 });
  const gzip = createGzip();
  await Promise.all([pipeline(file.createReadStream({ start: 0, autoClose: false }), gzip), writer.writeStream(gzip)]);
  await writer.commit();
  await directory.chown(compressed, uid, gid).catch((error) => {
    if (!(error instanceof FsError) || error.code !== 'EPERM') throw error;
  });
  await directory.unlink(name);
  await directory.sync();
}

function nameOf(path: Uint8Array | string, number: number, end: string): Buffer {
  return Buffer.concat([Buffer.from(path), Buffer.from(`.${number}${end}`)]);
}
