/** A part of a version: a path as callers write it, brought into the one form that manifests have, and the files that belong to it. */

import type { RelativePath } from '../dirfd/path.js';
import { type Manifest, pathOf, type VersionFile } from './manifest.js';

/** The whole tree. */
export const WHOLE = '.';

/** A file of a part, and its path there, one byte a character; empty for the part that is that file. */
export interface PartFile {
  readonly file: VersionFile;
  readonly path: string;
}

/** The same path without empty components and `.`, one byte a character; `'.'` where none is left. */
export function plainPath(path: RelativePath): string {
  const names = Buffer.from(path).toString('latin1').split('/');
  return names.filter((name) => name !== '' && name !== '.').join('/') || WHOLE;
}

/** @param part as {@link plainPath} returns it */
export function filesOf({ files }: Manifest, part: string): PartFile[] {
  const prefix = part === WHOLE ? '' : `${part}/`;
  return files.flatMap((file) => {
    const path = Buffer.from(pathOf(file)).toString('latin1');
    if (path === part) return [{ file, path: '' }];
    return path.startsWith(prefix) ? [{ file, path: path.slice(prefix.length) }] : [];
  });
}
