/**
 * Two versions side by side, or a version and a directory. Where either side has a file compressed, what lies on the disk says nothing of
 * its content: sizes and sums of the manifests do.
 */

import { LIST_LIMIT } from '../copy/report.js';
import { type Difference, type VerifyEvent, verifyTree } from '../copy/verify.js';
import type { DirectoryFd } from '../dirfd/directory-fd.js';
import type { SignalOptions } from '../dirfd/fd.js';
import { type ContentSum, hashFile } from './content.js';
import { pathOf, type VersionFile } from './manifest.js';

/** By path, one byte a character. */
export type FilesByPath = ReadonlyMap<string, VersionFile>;

/** What is compared; `files` where it is a version. */
export interface DiffSide {
  readonly tree: DirectoryFd;
  readonly files?: FilesByPath;
}

const OF_CONTENT: ReadonlySet<string> = new Set(['size', 'content', 'holes']);

/** Differences that keep what lies below an entry from being compared. */
const WHOLE: ReadonlySet<string> = new Set(['missing', 'extra', 'kind']);

export function isOfContent(event: VerifyEvent): boolean {
  return event.type === 'difference' && OF_CONTENT.has(event.field);
}

/** Where one side has no entry, or another kind of one: what lies below is not told one by one. */
export class ApartPaths {
  readonly #paths = new Set<string>();

  add(event: VerifyEvent): void {
    if (event.type === 'error' || WHOLE.has(event.field)) this.#paths.add(event.pathBytes.toString('latin1'));
  }

  /** Whether it is such a path, or below one. */
  covers(path: string): boolean {
    for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) {
      if (this.#paths.has(path.slice(0, slash))) return true;
    }
    return this.#paths.has(path);
  }
}

export function byPath(files: readonly VersionFile[]): Map<string, VersionFile> {
  return new Map(files.map((file) => [Buffer.from(pathOf(file)).toString('latin1'), file]));
}

export function packedOnly(files: FilesByPath): Map<string, VersionFile> {
  return new Map([...files].filter(([, { compression }]) => compression !== undefined));
}

/** @throws FsError for what cannot be read */
export async function diffSides(a: DiffSide, b: DiffSide, { signal }: SignalOptions): Promise<readonly Difference[]> {
  const packed = new Set([a, b].flatMap(({ files }) => [...packedOnly(files ?? new Map()).keys()]));
  const apart = new ApartPaths();
  const found: Difference[] = [];
  const comparison = verifyTree(a.tree, b.tree, { signal, onError: 'stop' });
  for await (const event of comparison) {
    apart.add(event);
    if (event.type === 'error' || found.length === LIST_LIMIT) continue;
    if (!isOfContent(event) || !packed.has(event.pathBytes.toString('latin1'))) found.push(event);
  }
  await comparison;
  for (const path of packed) {
    if (found.length === LIST_LIMIT) break;
    if (!apart.covers(path)) found.push(...(await contentDifference(path, a, b, { signal })));
  }
  return found;
}

async function contentDifference(
  path: string,
  a: DiffSide,
  b: DiffSide,
  options: SignalOptions,
): Promise<Difference[]> {
  const [left, right] = [await sumOf(path, a, options), await sumOf(path, b, options)];
  if (left.sha256 === right.sha256) return [];
  const pathBytes = Buffer.from(path, 'latin1');
  const at = { type: 'difference', path: pathBytes.toString('utf8'), pathBytes } as const;
  if (left.size === right.size) return [{ ...at, field: 'content' }];
  return [{ ...at, field: 'size', a: `${left.size} bytes`, b: `${right.size} bytes` }];
}

async function sumOf(path: string, { tree, files }: DiffSide, options: SignalOptions): Promise<ContentSum> {
  return files?.get(path) ?? (await hashFile(tree, Buffer.from(path, 'latin1'), options));
}
