/**
 * Log files handed on: log → log.1 → log.2 …, by renames, so that nothing is copied and nothing lost between.
 *
 * Who rotates holds the lock of the file (fcntl(2), of the open file description) until all is done, then under its new name. Another one waits
 * for it: at the file, or, where a new file has come meanwhile, at NAME.1.
 */

import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { type ObservedOptions, observed } from '../audit/observe.js';
import type { DirectoryFd } from '../dirfd/directory-fd.js';
import type { FileFd } from '../dirfd/file-fd.js';
import { toInteger } from '../dirfd/flags.js';
import { FsError } from '../errors.js';
import { type LockPatience, lockNamed } from './lock-named.js';
import { type AtomicTarget, type HeldTarget, holdTarget, pin } from './target.js';
import { AtomicWriter } from './writer.js';

/** How many are kept, and in which form. */
export interface RotateOptions extends ObservedOptions {
  /** Rotated files that are kept; what is older is removed, as far as the numbers go on without a gap. Default 5. */
  readonly maxFiles?: number | undefined;
  /**
   * Compress what is rotated: `log.1.gz`, with the mode and owner of the log. Where somebody still writes to it meanwhile, it stays as it is,
   * `log.1`. Default false.
   */
  readonly compress?: boolean | undefined;
  /** Milliseconds to wait for others who rotate or update the file. Default 30,000; then a LockTimeoutError. */
  readonly timeout?: number | undefined;
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
 * Renames the file to `NAME.1`, after `NAME.1` to `NAME.2` and so on up to the first number that is free; a number that belongs to something else
 * than a regular file is left out. Who has the file open goes on writing to it. A crash in between leaves all files, one of them perhaps with a
 * gap before it, which the next rotation closes; only compression needs a moment in which the content is there twice.
 *
 * The file is locked meanwhile, and so must be regular and writable.
 */
export async function rotate(target: AtomicTarget, options: RotateOptions = {}): Promise<RotateResult> {
  await using given = await holdTarget(target, 'rotate');
  await using held = await pin(given, false);
  const maxFiles = toInteger(options.maxFiles ?? 5, 'maxFiles', 1, 1_000_000, held.subject);
  const timeout = toInteger(options.timeout ?? 30_000, 'timeout', 0, 2 ** 31 - 1, held.subject);
  const { directory, path } = held.subject;
  const facts = { operation: 'rotate', directory, path: Buffer.from(path ?? '').toString('utf8') };
  return await observed(facts, options, async (note) => {
    const patience = { deadline: performance.now() + timeout, timeout };
    await using file = await lockNamed(held.directory, held.path, patience, held.subject);
    const result = file
      ? await rotateOnce(held, file, { maxFiles, patience, compress: options.compress === true })
      : { rotated: false, removed: [] };
    note({ ...result });
    return result;
  });
}

async function rotateOnce(
  { directory, path, subject }: HeldTarget,
  file: FileFd,
  { maxFiles, patience, compress }: { maxFiles: number; patience: LockPatience; compress: boolean },
): Promise<RotateResult> {
  // Who has rotated before may still compress it, by this name.
  const last = slotsOf(await numbered(directory, path))[0] as number;
  const before = await lockNamed(directory, nameOf(path, last, ''), { ...patience, shared: true }, subject);
  await before?.close();
  const found = await numbered(directory, path);
  const { files } = found;
  const slots = slotsOf(found);
  const removed: string[] = [];
  // The last one is free.
  for (const number of slots.slice(maxFiles - 1, -1)) {
    for (const name of files.get(number) ?? []) {
      await directory.unlink(name);
      removed.push(name.toString('utf8'));
    }
  }
  for (let at = Math.min(slots.length, maxFiles) - 2; at >= 0; at--) {
    for (const name of files.get(slots[at] as number) ?? []) {
      const end = name.subarray(-3).equals(GZ) ? '.gz' : '';
      await directory.rename(name, directory, nameOf(path, slots[at + 1] as number, end), { noReplace: true });
    }
  }
  const rotated = nameOf(path, slots[0] as number, '');
  await directory.rename(path, directory, rotated, { noReplace: true });
  await directory.sync();
  if (compress) await compressFile(directory, rotated, file);
  return { rotated: true, removed };
}

/** What lies beside the file under its name and a number. */
interface Numbered {
  /** Of each number the names, NAME.1 and NAME.1.gz: both, where a crash came between. */
  readonly files: ReadonlyMap<number, readonly Buffer[]>;
  /** Numbers that a directory, symlink, … has. */
  readonly others: ReadonlySet<number>;
}

/** The numbers that are rotated, in order: up to the first one that is free, the last here. What lies beyond is nobody's that we know. */
function slotsOf({ files, others }: Numbered): number[] {
  const slots: number[] = [];
  for (let number = 1; ; number++) {
    if (others.has(number)) continue;
    slots.push(number);
    if (!files.has(number)) return slots;
  }
}

async function numbered(directory: DirectoryFd, path: Uint8Array | string): Promise<Numbered> {
  const prefix = Buffer.concat([Buffer.from(path), Buffer.from('.')]);
  const files = new Map<number, Buffer[]>();
  const others = new Set<number>();
  for (const entry of await directory.readdir('.', { withFileTypes: true })) {
    const name = entry.nameBytes;
    if (!name.subarray(0, prefix.length).equals(prefix)) continue;
    const [, digits] = /^([1-9]\d{0,6})(\.gz)?$/.exec(name.subarray(prefix.length).toString('latin1')) ?? [];
    if (digits === undefined) continue;
    if (!entry.isFile()) others.add(Number(digits));
    else files.set(Number(digits), [...(files.get(Number(digits)) ?? []), name]);
  }
  return { files, others };
}

/** The plain file goes when the compressed one is on the device, and holds all of it. */
async function compressFile(directory: DirectoryFd, name: Buffer, file: FileFd): Promise<void> {
  const before = await file.stat();
  const { mode, uid, gid } = before;
  const compressed = Buffer.concat([name, GZ]);
  await using writer = new AtomicWriter({ directory, path: compressed }, { mode: mode & 0o777 });
  const gzip = createGzip();
  await Promise.all([pipeline(file.createReadStream({ start: 0, autoClose: false }), gzip), writer.writeStream(gzip)]);
  await writer.commit();
  await directory.chown(compressed, uid, gid).catch((error) => {
    if (!(error instanceof FsError) || error.code !== 'EPERM') throw error;
  });
  const after = await file.stat();
  const isWhole = after.size === before.size && after.ctimeNs === before.ctimeNs;
  await directory.unlink(isWhole ? name : compressed);
  await directory.sync();
}

function nameOf(path: Uint8Array | string, number: number, end: string): Buffer {
  return Buffer.concat([Buffer.from(path), Buffer.from(`.${number}${end}`)]);
}
