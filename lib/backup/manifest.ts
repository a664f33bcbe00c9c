/** What a version says of itself: its manifest, JSON with a checksum of its own. */

import { createHash } from 'node:crypto';
import type { DirectoryFd } from '../dirfd/directory-fd.js';
import { type ErrorSubject, FsError } from '../errors.js';
import { IntegrityError, operationError, VersionError } from '../operation-errors.js';
import type { Compression } from './compression.js';
import type { VersionEntry } from './entries.js';
import type { BackupLosses } from './losses.js';

/** One regular file of a version. */
export interface VersionFile {
  /** Relative to what was backed up; `file` where that is the file itself. */
  readonly path: string;
  /** Base64, where the path is not UTF-8. */
  readonly pathBytes?: string;
  /** Of its content, as is the sum; not of what is stored where that is compressed. */
  readonly size: number;
  /** SHA-256, in hexadecimal. */
  readonly sha256: string;
  /** Permission bits. */
  readonly mode?: number;
  /** Of what is stored in its place, with its size; absent where the content is stored as it is. */
  readonly compression?: Compression;
  readonly storedSize?: number;
}

/** What is known of a version, and what of its source it could not keep. JSON throughout. */
export interface BackupVersion extends BackupLosses {
  /** Its time and a random number: ids sort by age. */
  readonly id: string;
  /** ISO 8601. */
  readonly created: string;
  readonly kind: 'tree' | 'file';
  /** What was backed up: its real path, as text. */
  readonly source: string;
  readonly label?: string;
  /** The version that unchanged files are shared with. */
  readonly parent?: string;
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** Regular files, their bytes, and how many of them are shared with the parent. */
  readonly fileCount: number;
  readonly bytes: number;
  readonly shared: number;
  /** What `bytes` are in the store, where files are compressed; what is shared counts too. */
  readonly storedBytes: number;
}

export interface Manifest extends BackupVersion {
  readonly files: readonly VersionFile[];
  /** Permission bits of the top directory. */
  readonly mode?: number;
  /** What is no regular file, as it is stored. Without it, only files' contents are verified. */
  readonly entries?: readonly VersionEntry[];
}

const NAME = 'manifest.json';
/** Of the format. */
const FORMAT = 1;

export async function writeManifest(directory: DirectoryFd, manifest: Manifest): Promise<void> {
  const text = JSON.stringify({ format: FORMAT, ...manifest });
  await directory.writeFile(NAME, `${text}\n${checksum(text)}\n`, { flags: 'wx', mode: 0o600, flush: true });
}

/** @throws VersionError where there is none; IntegrityError where it is not what was written */
export async function readManifest(directory: DirectoryFd, subject: ErrorSubject): Promise<Manifest> {
  let content: string;
  try {
    content = await directory.readFile(NAME, 'utf8');
  } catch (error) {
    if (!(error instanceof FsError) || error.code !== 'ENOENT') throw error;
    throw operationError(VersionError, 'ERR_DIRFD_BACKUP', 'no such version', subject, error);
  }
  const [text = '', expected = ''] = content.split('\n');
  const actual = checksum(text);
  if (actual !== expected) {
    const why = 'the manifest is not what was written';
    throw operationError(IntegrityError, 'ERR_DIRFD_INTEGRITY', why, subject, undefined, { expected, actual });
  }
  const { format, ...manifest } = JSON.parse(text);
  if (format === FORMAT) return manifest;
  throw operationError(VersionError, 'ERR_DIRFD_BACKUP', `a format of its own time: ${format}`, subject);
}

export function describeVersion({
  files: _files,
  entries: _entries,
  mode: _mode,
  ...version
}: Manifest): BackupVersion {
  return version;
}

export function pathOf(file: VersionFile): string | Buffer {
  return file.pathBytes === undefined ? file.path : Buffer.from(file.pathBytes, 'base64');
}

function checksum(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
