/** A version is made: under a name with a dot, whole and on the device, and then renamed. */

import { copyTree } from '../copy/job.js';
import type { DirectoryFd } from '../dirfd/directory-fd.js';
import type { SignalOptions } from '../dirfd/fd.js';
import type { RelativePath } from '../dirfd/path.js';
import { realPathOf } from '../dirfd/real-path.js';
import { FsError } from '../errors.js';
import { type Compression, toCompression } from './compression.js';
import { byPath, packedOnly } from './diff.js';
import { entriesIn, modeOf } from './entries.js';
import { type BackupLosses, toLosses } from './losses.js';
import {
  type BackupVersion,
  describeVersion,
  type Manifest,
  readManifest,
  type VersionFile,
  writeManifest,
} from './manifest.js';
import { packTree } from './pack.js';
import { plainPath, WHOLE } from './part.js';
import { removeWhole } from './remove-whole.js';
import { shareUnchanged } from './share.js';
import { isId, newId } from './store.js';

/** Where the content of a version lies in it. A single file keeps no name but this. */
export const CONTENT = 'content';
export const SINGLE = 'file';

/** How a version is made. */
export interface CreateBackupOptions extends SignalOptions {
  /** A word for people: what it is for. */
  readonly label?: string | undefined;
  /** Kept with the version. JSON. */
  readonly metadata?: Readonly<Record<string, unknown>> | undefined;
  /** Files that have not changed since the last version of the same source share its blocks, as hard links. Default true. */
  readonly share?: boolean | undefined;
  /**
   * Take a file for unchanged where its size, times and other metadata are, without reading it on both sides. Default false: bytes are compared.
   */
  readonly quick?: boolean | undefined;
  /**
   * Compress what is stored: `true` for zstd where this Node has it (22.15, 23.8), gzip elsewhere. Files that would not save a block, and
   * those with holes, are stored as they are; unchanged ones are shared as they were stored. Default false.
   */
  readonly compress?: boolean | Compression | undefined;
  /** Leave out what matches these globs, and all below it. */
  readonly exclude?: readonly string[] | undefined;
}

/** What is backed up: an entry of a directory, '.' for the directory itself. */
export interface BackupSource {
  readonly directory: DirectoryFd;
  readonly path: RelativePath;
}

export async function createVersion(
  versions: DirectoryFd,
  source: BackupSource & { readonly name: string },
  parent: BackupVersion | undefined,
  options: CreateBackupOptions,
): Promise<BackupVersion> {
  const created = new Date();
  const staging = `.new-${newId(created)}`;
  await versions.mkdir(staging, { mode: 0o700 });
  try {
    return await fill(versions, staging, created, source, parent, options);
  } catch (error) {
    // Where that fails too, the next prune does it.
    await removeWhole(versions, staging).catch(() => {});
    throw error;
  }
}

async function fill(
  versions: DirectoryFd,
  staging: string,
  created: Date,
  { directory, path, name }: BackupSource & { readonly name: string },
  parent: BackupVersion | undefined,
  options: CreateBackupOptions,
): Promise<BackupVersion> {
  const { signal, label, metadata, exclude } = options;
  const compression = toCompression(options.compress, { verb: 'create', directory: versions.path });
  const id = staging.slice('.new-'.length);
  await using place = await versions.openDirectory(staging);
  const isTree = (await directory.stat(path, { signal })).isDirectory();
  const copying = { fsync: 'none', signal, ...(isTree && exclude ? { exclude } : {}) } as const;
  await place.mkdir(CONTENT, { mode: 0o700 });
  await using content = await place.openDirectory(CONTENT);
  let losses: BackupLosses;
  if (isTree) {
    await using source = await directory.openDirectory(path, { signal });
    losses = toLosses(await copyTree(source, content, copying));
  } else {
    losses = await copySingle(directory, path, content, SINGLE, copying);
  }
  let shared: ReadonlySet<string> = new Set();
  let known: ReadonlyMap<string, VersionFile> = new Map();
  if (parent && options.share !== false) {
    const quick = options.quick === true;
    await using version = await versions.openDirectory(parent.id);
    const stored = byPath((await readManifest(version, { verb: 'create', directory: versions.path })).files);
    const packed = packedOnly(stored);
    // One that has lost its content shares nothing.
    await using before = await version.openDirectory(CONTENT).catch(ofFsError);
    if (before) shared = await shareUnchanged(before, content, { signal, quick, packed });
    // What was not compared is what was backed up then, or damaged: its sum of today would make damage the truth.
    // And what is compressed has its sum of then, by which it was compared.
    known = new Map([...(quick ? stored : packed)].filter(([path]) => shared.has(path)));
  }
  const files = await packTree(content, place, { known, shared, compression, signal });
  const manifest: Manifest = {
    id,
    created: created.toISOString(),
    kind: isTree ? 'tree' : 'file',
    source: name,
    ...(label === undefined ? {} : { label }),
    ...(parent === undefined ? {} : { parent: parent.id }),
    ...(metadata === undefined ? {} : { metadata }),
    fileCount: files.length,
    bytes: files.reduce((sum, { size }) => sum + size, 0),
    shared: shared.size,
    storedBytes: files.reduce((sum, { size, storedSize = size }) => sum + storedSize, 0),
    ...losses,
    files,
    ...(isTree ? { mode: await modeOf(content) } : {}),
    entries: (await entriesIn(content, { signal })).filter(({ kind }) => kind !== 'file'),
  };
  await writeManifest(place, manifest);
  // All of it, before the name that makes it a version.
  await place.syncFileSystem();
  signal?.throwIfAborted();
  await versions.rename(staging, id, { noReplace: true });
  await versions.sync();
  return describeVersion(manifest);
}

function ofFsError(error: unknown): undefined {
  if (!(error instanceof FsError)) throw error;
}

/** By which later versions find their parent: the real path, whatever path the caller has opened the directory by. */
export async function sourceOf({ directory, path }: BackupSource): Promise<string> {
  const real = await realPathOf(directory, { verb: 'create', directory: directory.path, path });
  return real ? joined(real.toString('utf8'), path) : nameOf({ directory, path });
}

/** For people: by the path that the caller knows. */
export function nameOf({ directory, path }: BackupSource): string {
  return joined(directory.path, path);
}

function joined(above: string, path: RelativePath): string {
  const plain = plainPath(path);
  const text = Buffer.from(plain, 'latin1').toString('utf8');
  return plain === WHOLE ? above : `${above.replace(/\/$/, '')}/${text}`;
}

/** The newest version of the same source. */
export function parentAmong(versions: readonly BackupVersion[], source: string): BackupVersion | undefined {
  return versions.filter((version) => version.source === source && isId(version.id)).at(-1);
}

/**
 * copyTree takes a single file by a path from the root of the file system; relative to a held directory, one file is a tree of which all
 * else is left out.
 *
 * @returns what of the file could not be kept; its path is empty
 */
export async function copySingle(
  from: DirectoryFd,
  path: RelativePath,
  to: DirectoryFd,
  name: string,
  options: SignalOptions,
): Promise<BackupLosses> {
  const bytes = Buffer.from(path);
  const slash = bytes.lastIndexOf('/'.charCodeAt(0));
  const last = bytes.subarray(slash + 1);
  await using source = await from.openDirectory(slash < 0 ? '.' : bytes.subarray(0, slash), options);
  await to.mkdir('.dirfd-single', { mode: 0o700 });
  let losses: BackupLosses;
  {
    await using place = await to.openDirectory('.dirfd-single');
    const filter = (entry: { readonly depth: number; readonly nameBytes: Buffer }) =>
      entry.depth === 1 && entry.nameBytes.equals(last) ? 'include' : 'prune';
    const { notKept } = await copyTree(source, place, { ...options, filter });
    // What the directory has lost is of no matter: it goes.
    const ofFile = notKept
      .filter((loss) => loss.path !== '')
      .map((loss) => ({ ...loss, path: '', pathBytes: Buffer.of() }));
    losses = toLosses({ notKept: ofFile, notKeptCount: ofFile.length });
    // It has got the mode of the directory that held the file.
    await place.chmod('.', 0o700);
    await place.rename(last, to, name);
  }
  await to.removeTree('.dirfd-single');
  return losses;
}
