// The sentinels: files that lie beside the attacked trees, and that no operation may read, change or copy anything of.
import { chmodSync, chownSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { attempt } from '../fixtures/command.js';
import { findTool, isRoot } from '../fixtures/tools.js';

/** No file of an attacked tree has these. */
export const secret = 'SENTINEL of somebody else';
export const outsidersName = 'only-outside';
const mode = 0o4751;
const owner = 42420;
const attribute = 'user.dirfd-sentinel';

export class Outside {
  readonly #attributes: boolean;
  #quick = '';
  #thorough = '';
  #inodes: ReadonlySet<bigint> = new Set();

  /** Makes the directory. */
  constructor(readonly path: string) {
    this.#attributes = findTool('setfattr') !== undefined && findTool('getfattr') !== undefined;
    this.rebuild();
  }

  /** As it was, after an operation has changed it. */
  rebuild(): void {
    rmSync(this.path, { recursive: true, force: true });
    // Names that the attacked trees have too, and one that only this place has.
    for (const directory of ['', 'sub']) {
      mkdirSync(join(this.path, directory));
      for (const name of ['file', 'file-0', outsidersName]) this.#plant(join(this.path, directory, name));
    }
    this.#inodes = new Set(this.#entries().map((path) => lstatSync(path, { bigint: true }).ino));
    this.#quick = this.#look();
    this.#thorough = this.#lookThoroughly();
  }

  /** By names, content, mode, owner, size, inode and ctime, which moves with every change and cannot be set back. */
  hasChanged(): boolean {
    return this.#look() !== this.#quick;
  }

  /** By attributes and ACLs too, in case that a file system forgets ctime. */
  hasChangedAtAll(): boolean {
    return this.hasChanged() || this.#lookThoroughly() !== this.#thorough;
  }

  /** Whether an inode is one of those that lie below the directory; the directory itself may be seen as a mount point. */
  holds(ino: bigint): boolean {
    return this.#inodes.has(ino);
  }

  #plant(path: string): void {
    writeFileSync(path, secret);
    if (this.#attributes) attempt('setfattr', ['-n', attribute, '-v', 'yes', path]);
    if (isRoot()) chownSync(path, owner, owner);
    chmodSync(path, mode);
  }

  #entries(): string[] {
    const names = readdirSync(this.path, { recursive: true, encoding: 'utf8' }).sort();
    return names.map((name) => join(this.path, name));
  }

  #look(): string {
    return [this.path, ...this.#entries()]
      .map((path) => {
        const stat = lstatSync(path, { bigint: true });
        const facts = [stat.mode, stat.uid, stat.gid, stat.nlink, stat.size, stat.ino, stat.mtimeNs, stat.ctimeNs];
        return [path, ...facts, stat.isFile() ? readFileSync(path, 'utf8') : ''].join(' ');
      })
      .join('\n');
  }

  #lookThoroughly(): string {
    if (!this.#attributes) return '';
    return attempt('getfattr', ['-R', '-h', '-d', '-m', '-', '-e', 'hex', this.path]).stdout;
  }
}

/** What of the sentinels has come into a tree, but for where they are mounted: content, a name, a mode, an owner or an attribute. */
export function loot(tree: string, mounts: readonly string[]): string | undefined {
  const visit = (directory: string): string | undefined => {
    for (const entry of entriesOf(directory)) {
      const path = join(directory, entry.name);
      if (mounts.includes(path)) continue;
      if (entry.name === outsidersName) return `the name ${path}`;
      if (entry.isSymbolicLink()) continue;
      const stat = lstatSync(path);
      if ((stat.mode & 0o7777) === mode) return `the mode of a sentinel at ${path}`;
      if (isRoot() && stat.uid === owner) return `the owner of a sentinel at ${path}`;
      if (entry.isFile() && readFileSync(path, 'utf8').includes(secret)) return `the content of a sentinel at ${path}`;
      const below = entry.isDirectory() ? visit(path) : undefined;
      if (below !== undefined) return below;
    }
    return undefined;
  };
  return visit(tree) ?? lootedAttribute(tree, mounts);
}

function lootedAttribute(tree: string, mounts: readonly string[]): string | undefined {
  if (findTool('getfattr') === undefined) return undefined;
  const { stdout } = attempt('getfattr', ['-R', '-P', '-h', '--absolute-names', '-n', attribute, tree]);
  const files = [...stdout.matchAll(/^# file: (.*)$/gm)].map(([, path]) => path!);
  const looted = files.find((path) => !mounts.some((mount) => `${path}/`.startsWith(`${mount}/`)));
  return looted === undefined ? undefined : `an attribute of a sentinel at ${looted}`;
}

function entriesOf(directory: string) {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch (error) {
    // A mode of 0 or nothing there: an operation may leave that.
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) return [];
    throw error;
  }
}
