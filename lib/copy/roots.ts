/** From the two places that a caller names to two held directories, checked against each other before anything is made. */

import { fileURLToPath } from 'node:url';
import { DirectoryFd } from '../dirfd/directory-fd.js';
import { INTERNAL } from '../dirfd/fd.js';
import { isInside } from '../dirfd/inside.js';
import type { Stat } from '../dirfd/stat.js';
import { unless } from '../dirfd/unless.js';
import { type ErrorSubject, FsError, ownError } from '../errors.js';
import { STATE, type State } from '../native/trees.js';
import { type AtomicPlace, AtomicTree } from './atomic-tree.js';
import type { Settled } from './options.js';

/** A directory held by the caller, or the caller's own path, which may be absolute and hold symlinks. */
export type TreeRoot = string | Uint8Array | URL | DirectoryFd;

export interface Roots {
  readonly source: DirectoryFd;
  readonly destination: DirectoryFd | undefined;
  readonly state: State;
  /** Of the source directory. */
  readonly stat: Stat;
  /** A single file instead of a directory: both roots are the directories that hold it. */
  readonly single?: {
    readonly sourceName: Buffer;
    readonly destinationName: Buffer;
    readonly present: Stat | undefined;
  };
  /** The destination is private, and to be put in its place at the end. */
  readonly atomic?: AtomicTree;
  release(): Promise<void>;
}

export type RootOptions = Pick<
  Settled,
  'dryRun' | 'delete' | 'maxDelete' | 'atomic' | 'existing' | 'filter' | 'deleteExcluded'
>;

export async function openRoots(source: TreeRoot, destination: TreeRoot, options: RootOptions): Promise<Roots> {
  const subject: ErrorSubject = { verb: 'copy', path: labelOf(source), dest: labelOf(destination) };
  const opened: DirectoryFd[] = [];
  const held: (() => void)[] = [];
  const release = async (): Promise<void> => {
    for (const letGo of held) letGo();
    await Promise.all(opened.map((directory) => directory.close()));
  };
  const open = async (root: TreeRoot): Promise<DirectoryFd> => {
    if (root instanceof DirectoryFd) {
      held.push(root[INTERNAL].hold(subject));
      return root;
    }
    const directory = await DirectoryFd.open(root);
    opened.push(directory);
    return directory;
  };
  try {
    const from = await unless('ENOTDIR', open(source));
    const roots = from
      ? await openDirectories(from, destination, { open, adopt: (made) => opened.push(made) }, options, subject)
      : await openSingle(toPath(source as string | Uint8Array | URL), destination, open, subject);
    return { ...roots, release };
  } catch (error) {
    await release();
    throw error;
  }
}

type Open = (root: TreeRoot) => Promise<DirectoryFd>;

async function openDirectories(
  source: DirectoryFd,
  destination: TreeRoot,
  { open, adopt }: { readonly open: Open; adopt(made: DirectoryFd): void },
  options: RootOptions,
  subject: ErrorSubject,
): Promise<Omit<Roots, 'release'>> {
  const stat = await source.stat('.');
  if (options.atomic) {
    const place = await atomicPlace(source, destination, open, options, subject);
    if (!options.dryRun) {
      const atomic = await AtomicTree.begin(place);
      return { source, destination: atomic.directory, state: STATE.freshHere, stat, atomic };
    }
  }
  const present = await unless('ENOENT', open(destination));
  if (present) {
    await refuseOverlap(source, present, options, subject);
    return { source, destination: present, state: STATE.existing, stat };
  }
  const { parent, name } = await parentOf(destination as string | Uint8Array | URL, open);
  await refuseOverlap(source, parent, { ...options, delete: false }, subject);
  if (options.dryRun) return { source, destination: undefined, state: STATE.none, stat };
  await parent.mkdir(name, { mode: 0o700 });
  // By name once more, yet never through a symlink; it is checked to be private before anything is put into it.
  const made = await openMade(parent, name);
  adopt(made);
  return { source, destination: made, state: STATE.freshHere, stat };
}

/** Beside its place; what stands there is held against the options before anything is made. */
async function atomicPlace(
  source: DirectoryFd,
  destination: TreeRoot,
  open: Open,
  options: RootOptions,
  subject: ErrorSubject,
): Promise<AtomicPlace> {
  const refuse = (why: string): FsError => ownError('ERR_DIRFD_INVALID_ARGUMENT', why, subject);
  if (destination instanceof DirectoryFd) {
    throw refuse('atomic needs a path to its destination: a held directory cannot be replaced');
  }
  const { parent, name } = await parentOf(destination, open);
  if (/^\.{0,2}$/.test(name.toString('latin1'))) throw refuse('atomic needs a destination with a name');
  const present = await unless('ENOENT', parent.stat(name));
  if (present) {
    if (!present.isDirectory())
      throw refuse(`atomic replaces directories only, and the destination is a ${present.kind}`);
    if (options.existing !== 'replace') throw refuse(`the destination exists, and existing is '${options.existing}'`);
    if (!options.delete) throw refuse('the destination exists, and would be replaced with all it holds: say delete');
    if (options.maxDelete !== Number.POSITIVE_INFINITY) {
      throw refuse(
        'the destination exists, and would be replaced with all it holds, however much: maxDelete cannot hold',
      );
    }
    if (options.filter && !options.deleteExcluded) {
      throw refuse('what the filters leave out would be lost with the destination: say deleteExcluded');
    }
    if (present.mountId !== (await parent.stat('.')).mountId) throw refuse('the destination is a mount point');
    await using standing = await parent.openDirectory(name);
    await refuseOverlap(source, standing, { delete: true }, subject);
  }
  await refuseOverlap(source, parent, { delete: false }, subject);
  return { parent, name, source, present, subject };
}

async function openMade(parent: DirectoryFd, name: Buffer): Promise<DirectoryFd> {
  const opened = await unless('EACCES', parent.openDirectory(name));
  if (opened) return opened;
  // A umask that takes even from the owner.
  await parent.chmod(name, 0o700);
  return await parent.openDirectory(name);
}

async function refuseOverlap(
  source: DirectoryFd,
  destination: DirectoryFd,
  options: Pick<RootOptions, 'delete'>,
  subject: ErrorSubject,
): Promise<void> {
  if (await isInside(destination, source, subject.verb)) {
    throw ownError('ERR_DIRFD_INVALID_ARGUMENT', 'the destination is the source or lies inside it', subject);
  }
  if (options.delete && (await isInside(source, destination, subject.verb))) {
    throw ownError(
      'ERR_DIRFD_INVALID_ARGUMENT',
      'the source lies inside the destination, where delete would remove it',
      subject,
    );
  }
}

async function openSingle(
  source: string | Uint8Array,
  destination: TreeRoot,
  open: Open,
  subject: ErrorSubject,
): Promise<Omit<Roots, 'release'>> {
  if (destination instanceof DirectoryFd) {
    throw ownError(
      'ERR_DIRFD_INVALID_ARGUMENT',
      'the source is no directory, and a file needs a path to go to',
      subject,
    );
  }
  const { entry, ...from } = await follow(source, open, subject);
  if (!entry.isFile()) {
    throw ownError(
      'ERR_DIRFD_NOT_REGULAR',
      `the source is neither a directory nor a file but a ${entry.kind}`,
      subject,
    );
  }
  const to = await parentOf(destination, open);
  const present = await unless('ENOENT', to.parent.stat(to.name));
  if (present && present.ino === entry.ino && present.dev === entry.dev) {
    throw ownError('ERR_DIRFD_INVALID_ARGUMENT', 'source and destination are the same file', subject);
  }
  return {
    source: from.parent,
    destination: to.parent,
    state: STATE.existing,
    stat: await from.parent.stat('.'),
    single: { sourceName: from.name, destinationName: to.name, present },
  };
}

/** How many symlinks the kernel follows, path_resolution(7). */
const LINK_LIMIT = 40;

/** What the caller's path leads to, in the directory that holds it: a link in the last place is followed, step by step, from held directories. */
async function follow(
  path: string | Uint8Array,
  open: Open,
  subject: ErrorSubject,
): Promise<{ parent: DirectoryFd; name: Buffer; entry: Stat }> {
  let at = path;
  for (let links = 0; links <= LINK_LIMIT; links++) {
    const { parent, name, above } = await parentOf(at, open);
    const entry = await parent.stat(name);
    if (!entry.isSymbolicLink()) return { parent, name, entry };
    const target = await parent.readlink(name, { encoding: 'buffer' });
    at = target[0] === SLASH ? target : Buffer.concat([above, target]);
  }
  throw new FsError(`ELOOP: too many symbolic links, copy '${labelOf(path)}'`, {
    code: 'ELOOP',
    syscall: subject.verb,
  });
}

const SLASH = 0x2f;

/** The directory that holds the last component, that component, and how the directory was named, ready to have a name added. */
export async function parentOf(
  path: string | Uint8Array | URL,
  open: Open,
): Promise<{ parent: DirectoryFd; name: Buffer; above: Buffer }> {
  // Latin1 keeps every byte a character.
  const text = Buffer.from(toPath(path)).toString('latin1').replace(/\/+$/, '');
  const slash = text.lastIndexOf('/');
  const name = Buffer.from(text.slice(slash + 1), 'latin1');
  const above = Buffer.from(slash < 0 ? './' : text.slice(0, slash + 1), 'latin1');
  return { parent: await open(above), name, above };
}

function toPath(path: string | Uint8Array | URL): string | Uint8Array {
  return path instanceof URL ? fileURLToPath(path) : path;
}

export function labelOf(root: TreeRoot): string {
  if (root instanceof DirectoryFd) return root.path;
  const path = toPath(root);
  return typeof path === 'string' ? path : Buffer.from(path).toString('utf8');
}
