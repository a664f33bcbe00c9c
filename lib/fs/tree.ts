/**
 * The tree behind cp and copy: as Node's and fs-extra's, but every level is a held directory.
 *
 *   entry ── directory ──▶ its entries, then its mode
 *     │                      ├── files: all of them at once, by directory-pair.ts
 *     │                      └── directories and links, each an entry
 *     ├───── link ───────▶ made again
 *     └───── file ───────▶ leaf.ts
 */

import { type CopyOptions, type Settled, settle } from '../copy/options.js';
import type { DirectoryFd } from '../dirfd/directory-fd.js';
import { isInside } from '../dirfd/inside.js';
import type { Stat } from '../dirfd/stat.js';
import { ownError } from '../errors.js';
import { native } from '../native/load.js';
import { DECISION, type Decision } from '../native/trees.js';
import { followLink, leadsToDirectory } from './beyond.js';
import { DirectoryPair } from './directory-pair.js';
import { Leaf } from './leaf.js';
import { replaceSymlink } from './links.js';
import {
  isBelow,
  joinBytes,
  lookAt,
  makeParents,
  openDestination,
  openPlace,
  type PathLike,
  type Place,
  resolvePath,
  toBytes,
} from './place.js';
import type { Refuse } from './refusals.js';

export type CopyFilter = (src: string, dest: string) => boolean | Promise<boolean>;

export interface TreeRules {
  readonly dereference: boolean;
  /** What stands there and is no directory: replaced, an error, or kept. */
  readonly existing: 'replace' | 'error' | 'keep';
  readonly recursive: boolean;
  /** Relative links are made absolute, so that they lead where they led. */
  readonly absoluteLinks: boolean;
  readonly filter: CopyFilter | undefined;
  readonly preserveTimestamps: boolean;
  readonly reflink: CopyOptions['reflink'];
  readonly refuse: Refuse;
}

/** Where an entry is, and what; `opened` only for it, by following a link. */
interface Source extends Place {
  readonly stat: Stat;
  readonly opened: boolean;
}

/** The directories that lead to an entry, by identity: a followed link must not lead back into one of them. */
type Trail = readonly string[];

/** Two a level, and two more for each call at work. Where descriptors are short, one directory after the other. */
const DESCRIPTORS_PER_BRANCH = 100;

/** A directory and the one that becomes its copy, with the caller's paths to both. */
interface Level {
  readonly from: DirectoryFd;
  readonly src: Buffer;
  readonly into: DirectoryFd;
  readonly dest: Buffer;
  /** Made a moment ago. */
  readonly isNew: boolean;
  readonly trail: Trail;
}

export class Tree {
  readonly #rules: TreeRules;
  /** Content and permission bits, as both keep them, and no more. */
  readonly #settled: Settled;
  /** Directories that are copied beside others. */
  #forked = 0;

  constructor(rules: TreeRules) {
    this.#rules = rules;
    const { preserveTimestamps, reflink } = rules;
    this.#settled = settle(
      {
        ...{ owner: false, xattrs: false, acl: false, hardLinks: false },
        ...{ times: preserveTimestamps, accessTimes: preserveTimestamps, reflink },
      },
      { verb: 'cp' },
    );
  }

  /** Nothing, where the filter leaves out the whole. */
  async copy(src: PathLike, dest: PathLike): Promise<void> {
    if (!(await this.#asks(toBytes(src), toBytes(dest)))) return;
    const from = await openPlace(src);
    try {
      const source = await this.#look(from);
      try {
        await this.#begin(source, dest);
      } finally {
        if (source.opened) await source.directory.close();
      }
    } finally {
      await from.directory.close();
    }
  }

  async #begin(source: Source, dest: PathLike): Promise<void> {
    const destination = await openDestination(dest);
    let { nearest: held } = destination;
    try {
      const { missing, name, path } = destination;
      const present = missing.length === 0 ? await lookAt(held, name) : undefined;
      this.#checkPaths(source, path, present);
      if (source.stat.isDirectory() && (await isWithin(held, source))) {
        throw this.#rules.refuse('intoItself', source.path, path);
      }
      const to = await makeParents(destination);
      held = to.directory;
      await this.#entry(source, to, present, []);
    } finally {
      await held.close();
    }
  }

  async #entry(source: Source, to: Place, present: Stat | undefined, trail: Trail): Promise<void> {
    const { stat, path } = source;
    if (stat.isDirectory()) return await this.#directory(source, to, present, trail);
    if (stat.isSymbolicLink()) return await this.#link(source, to, present);
    const isKept = this.#stays(
      stat,
      present,
      () => path,
      () => to.path,
    );
    if (isKept) return;
    const leaf = new Leaf(source.directory, to.directory, this.#settled);
    try {
      await leaf.copy(source.name, stat, to.name, present !== undefined);
    } finally {
      leaf.end();
    }
  }

  /** Whether a file is left alone for what stands at the destination; what is neither file, directory nor link is refused. */
  #stays(stat: Stat, present: Stat | undefined, path: () => Buffer, dest: () => Buffer): boolean {
    const { refuse, existing } = this.#rules;
    if (stat.isFIFO()) throw refuse('fifo', path(), dest());
    if (stat.isSocket()) throw refuse('socket', path(), dest());
    // Opening a device may do anything: rewind a tape, wait for ever.
    if (!stat.isFile()) throw refuse('device', path(), dest());
    if (present && existing === 'error') throw refuse('exists', path(), dest());
    return present !== undefined && existing === 'keep';
  }

  async #directory(source: Source, to: Place, present: Stat | undefined, trail: Trail): Promise<void> {
    const { refuse, recursive } = this.#rules;
    if (!recursive) throw refuse('notRecursive', source.path, to.path);
    const identity = identityOf(source.stat);
    if (trail.includes(identity)) throw refuse('intoItself', source.path, to.path);
    const from = await openSame(source);
    try {
      // Private until it is filled.
      if (!present) await to.directory.mkdir(to.name, { mode: 0o700 });
      const into = await to.directory.openDirectory(to.name);
      try {
        await this.#entries({
          ...{ from, src: source.path, into, dest: to.path },
          ...{ isNew: !present, trail: [...trail, identity] },
        });
        if (!present) await into.chmod('.', source.stat.mode & 0o7777);
      } finally {
        await into.close();
      }
    } finally {
      await from.close();
    }
  }

  async #entries({ from, src, into, dest, isNew, trail }: Level): Promise<void> {
    const pair = await DirectoryPair.open(from, into, isNew, this.#settled);
    const running = new Set<Promise<void>>();
    const failures: unknown[] = [];
    try {
      const decisions = new Uint8Array(pair.length);
      const others: number[] = [];
      for (let index = 0; index < pair.length; index++) {
        const [source, to] = [() => joinBytes(src, pair.name(index)), () => joinBytes(dest, pair.name(index))];
        if (this.#rules.filter && !(await this.#asks(source(), to()))) continue;
        const decision = this.#decide(pair.stat(index), pair.present(index), source, to);
        if (decision === undefined) others.push(index);
        else decisions[index] = decision;
      }
      follow(pair.apply(decisions), running, failures);
      for (const index of others) {
        if (failures.length > 0) break;
        const name = pair.name(index);
        const source = { ...place(from, name, src), stat: pair.stat(index), opened: false };
        const once = () => this.#other(source, place(into, name, dest), pair.present(index), trail);
        if (!this.#mayFork()) {
          await once();
          continue;
        }
        this.#forked++;
        follow(
          once().finally(() => this.#forked--),
          running,
          failures,
        );
      }
    } finally {
      await Promise.all(running);
      pair.end();
    }
    if (failures.length > 0) throw failures[0];
  }

  /** Several branches at a time, but where a filter counts on the order, or a link on what it leads to. */
  #mayFork(): boolean {
    const { filter, dereference } = this.#rules;
    const affordable = Math.floor(native.capabilities().fdLimit / DESCRIPTORS_PER_BRANCH);
    return !filter && !dereference && this.#forked < Math.min(this.#settled.concurrency, affordable);
  }

  /** What the engine is to do of its own; undefined for what takes more than that: directories, and most links. */
  #decide(stat: Stat, present: Stat | undefined, path: () => Buffer, dest: () => Buffer): Decision | undefined {
    const { dereference, absoluteLinks } = this.#rules;
    if (stat.isSymbolicLink() && (dereference || absoluteLinks || present)) return undefined;
    this.#check(stat, present, path, dest);
    if (stat.isDirectory()) return undefined;
    if (stat.isSymbolicLink()) return DECISION.create;
    if (this.#stays(stat, present, path, dest)) return DECISION.skip;
    return present ? DECISION.replace : DECISION.create;
  }

  async #other(listed: Source, to: Place, present: Stat | undefined, trail: Trail): Promise<void> {
    const isFollowed = this.#rules.dereference && listed.stat.isSymbolicLink();
    const source = isFollowed ? await this.#look(listed) : listed;
    try {
      if (isFollowed || source.stat.isSymbolicLink()) this.#checkPaths(source, to.path, present);
      await this.#entry(source, to, present, trail);
    } finally {
      if (source.opened) await source.directory.close();
    }
  }

  /** The caller's filter. */
  async #asks(src: Buffer, dest: Buffer): Promise<boolean> {
    const { filter } = this.#rules;
    return filter === undefined || Boolean(await filter(src.toString(), dest.toString()));
  }

  #checkPaths({ stat, path }: Source, dest: Buffer, present: Stat | undefined): void {
    this.#check(
      stat,
      present,
      () => path,
      () => dest,
    );
  }

  #check(stat: Stat, present: Stat | undefined, path: () => Buffer, dest: () => Buffer): void {
    if (!present) return;
    const { refuse } = this.#rules;
    if (present.ino === stat.ino && present.dev === stat.dev) throw refuse('same', path(), dest());
    if (stat.isDirectory() && !present.isDirectory()) throw refuse('directoryOverOther', path(), dest());
    if (!stat.isDirectory() && present.isDirectory()) throw refuse('otherOverDirectory', path(), dest());
  }

  /** What is there; with `dereference`, what a link leads to, wherever that is. */
  async #look(from: Place): Promise<Source> {
    const stat = await from.directory.stat(from.name);
    if (!this.#rules.dereference || !stat.isSymbolicLink()) return { ...from, stat, opened: false };
    return { ...(await followLink(from)), opened: true };
  }

  async #link(source: Source, to: Place, present: Stat | undefined): Promise<void> {
    const { refuse, absoluteLinks } = this.#rules;
    const target = await source.directory.readlink(source.name, { encoding: 'buffer' });
    const resolved = resolvePath(joinBytes(source.path, Buffer.from('..')), target);
    const written = absoluteLinks ? resolved : target;
    // Where no link stands, it is made or fails: nothing but a link gives way to one.
    if (!present?.isSymbolicLink()) return await to.directory.symlink(written, to.name);
    const standing = await to.directory.readlink(to.name, { encoding: 'buffer' });
    const led = resolvePath(joinBytes(to.path, Buffer.from('..')), standing);
    if (standing.equals(written)) return;
    if (!led.equals(resolved)) {
      if (isBelow(resolved, led)) throw refuse('linkIntoItself', resolved, led);
      const isDirectory = await leadsToDirectory(source.directory, target);
      if (isDirectory && isBelow(led, resolved)) throw refuse('linkAbove', resolved, led);
    }
    await replaceSymlink(to.directory, to.name, written);
  }
}

function place(directory: DirectoryFd, name: Buffer, path: Buffer): Place {
  return { directory, name, path: joinBytes(path, name) };
}

function follow(task: Promise<void>, running: Set<Promise<void>>, failures: unknown[]): void {
  const settled = task.catch((error: unknown) => void failures.push(error)).finally(() => running.delete(settled));
  running.add(settled);
}

/** The very directory that was looked at. */
async function openSame({ directory, name, stat, path }: Source): Promise<DirectoryFd> {
  const opened = await directory.openDirectory(name);
  const now = await opened.stat('.');
  if (identityOf(now) === identityOf(stat)) return opened;
  await opened.close();
  throw ownError('ERR_DIRFD_CHANGED', 'the entry is no longer the one that was looked at', { verb: 'cp', path });
}

/** Whether a held directory is the source directory, or below it, whatever paths lead there. */
async function isWithin(held: DirectoryFd, source: Source): Promise<boolean> {
  await using outer = await openSame(source);
  return await isInside(held, outer, 'cp');
}

function identityOf({ dev, ino }: Stat): string {
  return `${dev}:${ino}`;
}
