/**
 * The roots as they will be after the operations added so far: what later operations see. Only what was looked up is in memory.
 *
 *   Standing   an entry that is on the disk now, under the path that it has there; it may be moved, and its content never is
 *   Staged     an entry that waits in the transaction's own directory, private, so that it can be changed at once
 *   Child      a name in a directory of either sort: what it meant when it was first looked at, and what it means now
 */

import { type ErrorSubject, FsError } from '../errors.js';
import { operationError, ValidationError } from '../operation-errors.js';
import { type Identity, identityOf } from './identity.js';
import { joined, toBytes, toText } from './names.js';
import type { Participant } from './participant.js';

export interface Child {
  readonly in: Directory;
  readonly name: string;
  /** On the disk when it was first looked up. Never set in a staged directory. */
  readonly before: Standing | undefined;
  now: Entry | undefined;
  /** Its content was given to the caller, who may have decided by it. */
  wasRead: boolean;
}

/** Of a tree, but for what was to be moved out of it by then. */
export interface Fingerprint {
  readonly hash: string;
  readonly without: ReadonlySet<string>;
}

export class Standing {
  readonly root: number;
  readonly path: string;
  readonly identity: Identity;
  /** Where it is now; undefined once deleted, and for a root. */
  place: Child | undefined;
  readonly children = new Map<string, Child>();
  /** To be set at commit. */
  mode: number | undefined;
  /** Of what was read first, where a change could leave all times as they are. */
  readSha256: string | undefined;
  /** Of a directory that was deleted: what it held then. */
  tree: Fingerprint | undefined;

  constructor(root: number, path: string, identity: Identity) {
    this.root = root;
    this.path = path;
    this.identity = identity;
  }
  get kind(): Identity['kind'] {
    return this.identity.kind;
  }
}

export class Staged {
  readonly root: number;
  readonly kind: Identity['kind'];
  /** Its name in the transaction's directory, while it lies in no other staged directory. */
  slot: number;
  place: Child | undefined;
  readonly children = new Map<string, Child>();
  /** Of a directory: the mode to be set once all is in it, where that would be in the way now. */
  mode: number | undefined;
  /** Of a file, once its content is there. */
  sha256: string | undefined;
  /** Of a directory that was made empty: what is not among its children is not there. */
  isKnown = false;

  constructor(root: number, kind: Identity['kind'], slot: number, sha256?: string) {
    this.root = root;
    this.kind = kind;
    this.slot = slot;
    this.sha256 = sha256;
  }

  /** Path in the transaction's directory. */
  get path(): string {
    return this.place?.in instanceof Staged ? joined(this.place.in.path, this.place.name) : String(this.slot);
  }
}

export type Entry = Standing | Staged;
/** An entry whose kind is 'directory'. */
export type Directory = Entry;

export class View {
  readonly #participants: readonly Participant[];
  readonly roots: readonly Standing[];
  /** Every directory in which a name was looked up. */
  readonly visited = new Set<Directory>();

  constructor(participants: readonly Participant[]) {
    this.#participants = participants;
    this.roots = participants.map(({ identity }, root) => new Standing(root, '', identity));
  }

  /**
   * A name and what it means now.
   *
   * @throws ValidationError where the directory that should hold it is missing, or is none
   */
  async find(root: number, components: readonly string[], subject: ErrorSubject): Promise<Child> {
    let directory: Directory = this.roots[root] as Standing;
    for (const [depth, name] of components.slice(0, -1).entries()) {
      const { now } = await this.childOf(directory, name);
      if (now?.kind !== 'directory') {
        const path = toText(components.slice(0, depth + 1).join('/'));
        throw invalid(now ? `'${path}' is a ${now.kind}, not a directory` : `there is no directory '${path}'`, subject);
      }
      directory = now;
    }
    return this.childOf(directory, components.at(-1) as string);
  }

  async childOf(directory: Directory, name: string): Promise<Child> {
    const known = directory.children.get(name);
    if (known) return known;
    const entry = await this.#lookUp(directory, name);
    const before = entry instanceof Standing ? entry : undefined;
    const child: Child = { in: directory, name, before, now: entry, wasRead: false };
    if (entry) entry.place = child;
    directory.children.set(name, child);
    this.visited.add(directory);
    return child;
  }

  /** All names of a directory with what they mean now. */
  async childrenOf(directory: Directory): Promise<Child[]> {
    const { root, base, path } = this.whereOf(directory);
    const listed = await (base === 'root' ? this.#participants[root]!.root : this.#participants[root]!.work).readdir(
      path === '' ? '.' : toBytes(path),
      { encoding: 'buffer' },
    );
    for (const name of listed) await this.childOf(directory, name.toString('latin1'));
    return [...directory.children.values()].filter(({ now }) => now);
  }

  /** Where its content can be read until the commit. */
  whereOf(entry: Entry): { readonly root: number; readonly base: 'root' | 'work'; readonly path: string } {
    return { root: entry.root, base: entry instanceof Standing ? 'root' : 'work', path: entry.path };
  }

  /** Whether it, and all that lies in it, is on the disk as the view has it, so that it can be copied as a whole. */
  isPlain(entry: Entry): boolean {
    if (entry.mode !== undefined) return false;
    for (const { before, now } of entry.children.values()) {
      if (entry instanceof Standing && now !== before) return false;
      if (entry instanceof Staged && now instanceof Standing) return false;
      if (now && !this.isPlain(now)) return false;
    }
    return true;
  }

  /** The path that it will have; undefined where it will have none. One byte a character. */
  finalPathOf(entry: Entry): { readonly root: number; readonly path: string } | undefined {
    if (entry instanceof Standing && entry.path === '') return { root: entry.root, path: '' };
    const { place } = entry;
    if (place?.now !== entry) return undefined;
    const above = this.finalPathOf(place.in);
    return above && { root: above.root, path: joined(above.path, place.name) };
  }

  async #lookUp(directory: Directory, name: string): Promise<Entry | undefined> {
    if (directory instanceof Staged && directory.isKnown) return undefined;
    const path = joined(directory.path, name);
    const participant = this.#participants[directory.root] as Participant;
    const base = directory instanceof Standing ? participant.root : participant.work;
    try {
      const identity = identityOf(await base.stat(toBytes(path)));
      if (directory instanceof Standing) return new Standing(directory.root, path, identity);
      return new Staged(directory.root, identity.kind, -1);
    } catch (error) {
      if (error instanceof FsError && error.code === 'ENOENT') return undefined;
      throw error;
    }
  }
}

/** A refusal before anything was changed. */
export function invalid(why: string, subject: ErrorSubject, cause?: unknown): ValidationError {
  return operationError(ValidationError, 'ERR_DIRFD_INVALID_ARGUMENT', why, subject, cause);
}
