/**
 * The regular files of a new version, in the order of their paths' bytes: each hashed, and compressed where that is asked for and saves a
 * block. A compressed file keeps owner, mode, times and attributes of the one whose name it takes. Names of one file stay names of one file.
 */

import type { DirectoryFd } from '../dirfd/directory-fd.js';
import type { SignalOptions } from '../dirfd/fd.js';
import type { FileFd } from '../dirfd/file-fd.js';
import type { Stat } from '../dirfd/stat.js';
import { carryOver } from '../transaction/carry-over.js';
import { walk } from '../walk/walk.js';
import type { Compression } from './compression.js';
import { compress, hashContent, hashFile } from './content.js';
import { EditedDirectories } from './edited-directories.js';
import { inOrder } from './in-order.js';
import type { VersionFile } from './manifest.js';

/** What a file takes on the disk is counted in these, by nearly all file systems. */
const BLOCK = 4096;

export interface PackOptions extends SignalOptions {
  /** By path, one byte a character: what is stored already, and not read again. */
  readonly known: ReadonlyMap<string, VersionFile>;
  /** By path, likewise: names of files of the version before, which stay as they are stored there. */
  readonly shared: ReadonlySet<string>;
  readonly compression: Compression | undefined;
}

type Sum = Omit<VersionFile, 'path' | 'pathBytes' | 'mode'>;

/** @param spare a directory of the same file system, for files without a name */
export async function packTree(content: DirectoryFd, spare: DirectoryFd, options: PackOptions): Promise<VersionFile[]> {
  const edited = new EditedDirectories(content);
  const packer = new Packer(content, spare, edited, options);
  const files: VersionFile[] = [];
  for await (const file of inOrder(
    walk(content, { order: 'sorted', kinds: ['file'], signal: options.signal }),
    (entry) => packer.pack(entry),
  )) {
    files.push(file);
  }
  await edited.leave();
  return files;
}

export class Packer {
  readonly #content: DirectoryFd;
  readonly #spare: DirectoryFd;
  readonly #edited: EditedDirectories;
  readonly #options: PackOptions;
  /** Files with several names, by inode: the first name and what became of it. */
  readonly #first = new Map<bigint, { readonly pathBytes: Buffer; readonly sum: Promise<Sum> }>();

  constructor(content: DirectoryFd, spare: DirectoryFd, edited: EditedDirectories, options: PackOptions) {
    this.#content = content;
    this.#spare = spare;
    this.#edited = edited;
    this.#options = options;
  }

  async pack({ path, pathBytes, stat }: { path: string; pathBytes: Buffer; stat: Stat }): Promise<VersionFile> {
    const known = this.#options.known.get(pathBytes.toString('latin1'));
    const mode = stat.mode & 0o7777;
    if (known) return { ...known, mode };
    const exact = Buffer.from(path).equals(pathBytes) ? {} : { pathBytes: pathBytes.toString('base64') };
    return { path, ...exact, mode, ...(await this.#sumOf(pathBytes, stat)) };
  }

  async #sumOf(path: Buffer, stat: Stat): Promise<Sum> {
    // Before the links are counted: the first name's replacement has taken one away.
    const first = this.#first.get(stat.ino);
    if (first === undefined) {
      const sum = this.#store(path, stat);
      if (stat.nlink > 1) this.#first.set(stat.ino, { pathBytes: path, sum });
      return sum;
    }
    const sum = await first.sum;
    if (sum.compression) {
      await this.#edited.enter(path);
      await this.#edited.link(this.#content, first.pathBytes, path);
    }
    return sum;
  }

  async #store(path: Buffer, { exactSize }: Stat): Promise<Sum> {
    const { compression, shared, signal } = this.#options;
    const stays = compression === undefined || exactSize <= BLOCK || shared.has(path.toString('latin1'));
    if (stays) return hashFile(this.#content, path, { signal });
    await using file = await this.#content.openFile(path, { signal });
    // A hole takes no room, and would not be one in what is restored.
    const isWhole = BigInt(await file.seekHole(0)) >= exactSize;
    await file.seek(0);
    if (!isWhole) return await hashContent(file, { signal });
    await using packed = await this.#spare.createTemporaryFile();
    const sum = await compress(file, packed, { compression, signal, size: Number(exactSize) });
    const { size } = await packed.stat();
    if (blocks(size) >= blocks(sum.size)) return sum;
    await this.#replace(file, packed, path);
    return { ...sum, compression, storedSize: size };
  }

  async #replace(file: FileFd, packed: FileFd, path: Buffer): Promise<void> {
    await this.#edited.enter(path);
    await carryOver(file, packed, 'same');
    await packed.linkInto(this.#content, path, { replace: true });
  }
}

function blocks(size: number): number {
  return Math.ceil(size / BLOCK);
}
