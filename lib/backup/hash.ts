/** The SHA-256 of every regular file of a version. */

import { createHash } from 'node:crypto';
import type { DirectoryFd } from '../dirfd/directory-fd.js';
import type { SignalOptions } from '../dirfd/fd.js';
import type { RelativePath } from '../dirfd/path.js';
import { walk } from '../walk/walk.js';
import type { VersionFile } from './manifest.js';

const CHUNK = 1024 * 1024;

export async function hashFile(
  directory: DirectoryFd,
  path: RelativePath,
  { signal }: SignalOptions,
): Promise<{ readonly size: number; readonly sha256: string }> {
  await using file = await directory.openFile(path, { signal });
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(CHUNK);
  let size = 0;
  for (;;) {
    const { bytesRead } = await file.read(buffer, { signal });
    if (bytesRead === 0) return { size, sha256: hash.digest('hex') };
    hash.update(buffer.subarray(0, bytesRead));
    size += bytesRead;
  }
}

/**
 * In the order of their paths' bytes.
 *
 * @param known by path, one byte a character: not read again
 */
export async function hashTree(
  directory: DirectoryFd,
  known: ReadonlyMap<string, VersionFile>,
  options: SignalOptions,
): Promise<VersionFile[]> {
  const files: VersionFile[] = [];
  for await (const { path, pathBytes } of walk(directory, { order: 'sorted', kinds: ['file'], ...options })) {
    const file = known.get(pathBytes.toString('latin1'));
    if (file) {
      files.push(file);
      continue;
    }
    const exact = Buffer.from(path).equals(pathBytes) ? {} : { pathBytes: pathBytes.toString('base64') };
    files.push({ path, ...exact, ...(await hashFile(directory, pathBytes, options)) });
  }
  return files;
}
