/**
 * The operations, as they are added: each is checked against the view, staged, and entered into the view. Nothing outside of the
 * transaction's own directories is changed. An operation that fails leaves the view as it was, but for staged trees that it had begun to
 * change: so a transaction in which one has failed is not committed.
 */

import { createHash } from 'node:crypto';
import { isSettled } from '../atomic/settled.js';
import type { NotKept } from '../copy/report.js';
import type { DirectoryFd } from '../dirfd/directory-fd.js';
import type { RelativePath } from '../dirfd/path.js';
import type { ErrorSubject } from '../errors.js';
import { FileSizeError, operationError } from '../operation-errors.js';
import { fingerprintOf, isUntouched } from './identity.js';
import { componentsOf, toBytes, toText } from './names.js';
import type { Participant } from './participant.js';
import {
  type Bytes,
  type Source,
  stageCopy,
  stageDirectoryLike,
  stageFile,
  stageSymlink,
  stageTree,
} from './staging.js';
import { type Child, type Directory, type Entry, type Fingerprint, invalid, Staged, Standing, View } from './view.js';

/** A path in one of the roots. */
export interface Located {
  readonly root: number;
  readonly path: RelativePath;
}

export class Draft {
  readonly view: View;
  /** What copies of trees could not keep. */
  readonly notKept: NotKept[] = [];
  readonly #participants: readonly Participant[];

  constructor(participants: readonly Participant[]) {
    this.#participants = participants;
    this.view = new View(participants);
  }

  /**
   * @param alone resolves when nothing that was begun before is still being staged
   * @returns stages the content, beside whatever does not need it, and tells its length
   */
  async write(
    at: Located,
    content: Bytes,
    { mode, createOnly, parents }: { mode: number | undefined; createOnly: boolean; parents: boolean },
    alone: () => Promise<void>,
  ): Promise<() => Promise<number>> {
    const subject = this.#subject('write', at);
    const child = await this.#find(at, subject, parents);
    const { now } = child;
    if (now && createOnly) throw invalid('the file exists', subject);
    if (now && now.kind !== 'file') throw invalid(`it is a ${now.kind}; delete it first, if that is meant`, subject);
    const participant = this.#at(at.root);
    const slot = participant.newSlot();
    const how = { mode: mode ?? now?.mode, like: now && this.#sourceOf(now) };
    participant.staged(1);
    // Pieces may come from anywhere, this transaction included; and what is staged already is the model of what takes its place.
    if (now instanceof Staged || !(content instanceof Uint8Array)) {
      await alone();
      const { sha256, size } = await stageFile(participant, String(slot), content, how);
      await this.#put(child, new Staged(at.root, 'file', slot, sha256));
      return async () => size;
    }
    const entry = new Staged(at.root, 'file', slot);
    if (child.now) await this.#take(child);
    name(child, entry);
    return async () => {
      const { sha256, size } = await stageFile(participant, entry.path, content, how);
      entry.sha256 = sha256;
      return size;
    };
  }

  async mkdir(at: Located, { mode, recursive }: { mode: number | undefined; recursive: boolean }): Promise<void> {
    const subject = this.#subject('mkdir', at);
    const child = await this.#find(at, subject, recursive);
    if (child.now?.kind === 'directory' && recursive) return;
    if (child.now) throw invalid(`there is a ${child.now.kind} of that name`, subject);
    await this.#makeDirectory(child, mode);
  }

  async symlink(target: RelativePath, at: Located): Promise<void> {
    const subject = this.#subject('symlink', at);
    const child = await this.#find(at, subject);
    if (child.now) throw invalid(`there is a ${child.now.kind} of that name`, subject);
    const participant = this.#at(at.root);
    const slot = participant.newSlot();
    await stageSymlink(participant, String(slot), target);
    participant.staged(1);
    await this.#put(child, new Staged(at.root, 'symlink', slot));
  }

  async delete(at: Located, { force }: { force: boolean }): Promise<void> {
    const subject = this.#subject('delete', at);
    const child = await this.#find(at, subject);
    if (!child.now && !force) throw invalid('there is no such entry', subject);
    if (child.now) await this.#take(child);
  }

  async move(from: Located, to: Located, { replace }: { replace: boolean }): Promise<void> {
    const subject = this.#subject('move', from, to);
    const source = await this.#find(from, subject);
    const target = await this.#find(to, subject);
    const { now: entry } = source;
    if (!entry) throw invalid('there is no such entry', subject);
    if (source === target) return;
    for (let above: Directory | undefined = target.in; above; above = above.place?.in) {
      if (above === entry) throw invalid('a directory cannot be moved into itself', subject);
    }
    this.#refuseTaken(target, entry, replace, subject);
    if (from.root !== to.root) {
      // Before the copy: what somebody changes while it is made may not be in it, and is not to be deleted with the source.
      const tree = await this.#treeOf(entry);
      await this.#put(target, await this.#copied(entry, this.#at(to.root), to.root, subject));
      await this.#take(source, tree);
      return;
    }
    source.now = undefined;
    if (entry instanceof Staged) {
      // Out of a staged directory, into a slot of its own.
      if (source.in instanceof Staged) {
        const { work } = this.#at(entry.root);
        const before = entry.path;
        entry.slot = this.#at(entry.root).newSlot();
        entry.place = undefined;
        await work.rename(toBytes(before), String(entry.slot));
      }
      entry.place = undefined;
    }
    await this.#put(target, entry);
  }

  async copy(from: Located, to: Located, { replace }: { replace: boolean }): Promise<void> {
    const subject = this.#subject('copy', from, to);
    const { now: entry } = await this.#find(from, subject);
    const target = await this.#find(to, subject);
    if (!entry) throw invalid('there is no such entry', subject);
    if (entry === target.now) throw invalid('source and destination are the same', subject);
    this.#refuseTaken(target, entry, replace, subject);
    await this.#put(target, await this.#copied(entry, this.#at(to.root), to.root, subject));
  }

  async chmod(at: Located, mode: number): Promise<void> {
    const subject = this.#subject('chmod', at);
    const { now: entry } = await this.#find(at, subject);
    if (!entry) throw invalid('there is no such entry', subject);
    if (entry.kind !== 'file' && entry.kind !== 'directory') throw invalid(`a ${entry.kind} has no mode`, subject);
    if (entry instanceof Standing) entry.mode = mode;
    else await this.#chmodStaged(entry, mode);
  }

  /** What a file holds at this point of the transaction. What was read must not change until the commit. */
  async read(at: Located, maxSize: number): Promise<Buffer> {
    const subject = this.#subject('read', at);
    const child = await this.#find(at, subject);
    const { now: entry } = child;
    if (!entry) throw invalid('there is no such entry', subject);
    if (entry.kind !== 'file') throw invalid(`it is a ${entry.kind}, not a file`, subject);
    const { base, path } = this.#sourceOf(entry);
    await using file = await base.openFile(toBytes(path));
    const lookedAt = Date.now();
    const stat = await file.stat();
    if (stat.size > maxSize) {
      const why = `it has ${stat.size} bytes, more than the ${maxSize} allowed`;
      throw operationError(FileSizeError, 'ERR_DIRFD_TOO_LARGE', why, subject, undefined, maxSize);
    }
    if (entry instanceof Standing) {
      if (!isUntouched(stat, entry.identity))
        throw invalid('it has changed since the transaction looked at it', subject);
      child.wasRead = true;
    }
    const bytes = await file.readFile();
    if (entry instanceof Standing && !isSettled(stat, lookedAt)) {
      entry.readSha256 ??= createHash('sha256').update(bytes).digest('hex');
    }
    return bytes;
  }

  #at(root: number): Participant {
    return this.#participants[root] as Participant;
  }

  #subject(verb: string, at: Located, dest?: Located): ErrorSubject {
    const directory = this.#at(at.root).root.path;
    if (dest === undefined) return { verb, directory, path: at.path };
    const other = dest.root === at.root ? {} : { destDirectory: this.#at(dest.root).root.path };
    return { verb, directory, path: at.path, dest: dest.path, ...other };
  }

  async #find(at: Located, subject: ErrorSubject, parents = false): Promise<Child> {
    const components = componentsOf(at.path, { ...subject, path: at.path });
    for (let depth = 1; parents && depth < components.length; depth++) {
      const above = await this.view.find(at.root, components.slice(0, depth), subject);
      if (!above.now) await this.#makeDirectory(above, undefined);
    }
    return this.view.find(at.root, components, subject);
  }

  #refuseTaken({ now }: Child, entry: Entry, replace: boolean, subject: ErrorSubject): void {
    if (!now) return;
    if (!replace) throw invalid('the destination exists; replace it with `replace: true`', subject);
    // As rename(2) has it: what is replaced must be of the same sort.
    if ((now.kind === 'directory') !== (entry.kind === 'directory')) {
      throw invalid(`a ${entry.kind} does not replace a ${now.kind}; delete that first`, subject);
    }
    if (now === entry || this.#holds(now, entry)) throw invalid('the destination holds the source', subject);
  }

  #holds(directory: Entry, entry: Entry): boolean {
    for (let at: Entry | undefined = entry; at; at = at.place?.in) if (at === directory) return true;
    return false;
  }

  async #makeDirectory(child: Child, mode: number | undefined): Promise<void> {
    const { root } = child.in;
    const participant = this.#at(root);
    const slot = participant.newSlot();
    await participant.work.mkdir(String(slot), { mode: 0o700 });
    const made = new Staged(root, 'directory', slot);
    made.isKnown = true;
    await this.#put(child, made);
    await this.#chmodStaged(made, mode ?? 0o777 & ~process.umask());
    participant.staged(1);
  }

  /** A mode that would keep us out ourselves is set when all is in. */
  async #chmodStaged(entry: Staged, mode: number): Promise<void> {
    const now = entry.kind === 'directory' ? mode | 0o700 : mode;
    await this.#at(entry.root).work.chmod(toBytes(entry.path), now);
    entry.mode = now === mode ? undefined : mode;
  }

  /** Gives a name to an entry, which has none, and takes it from the one that has it. */
  async #put(child: Child, entry: Entry): Promise<void> {
    if (child.now) await this.#take(child);
    const from = entry.path;
    name(child, entry);
    if (entry instanceof Staged && child.in instanceof Staged) {
      await this.#at(entry.root).work.rename(toBytes(from), toBytes(entry.path));
    }
  }

  /** Takes the name from an entry that is to be no more. `tree` is what it held when that was decided. */
  async #take(child: Child, tree?: Fingerprint): Promise<void> {
    const { now: entry } = child;
    if (entry instanceof Staged) await this.#at(entry.root).work.removeTree(toBytes(entry.path));
    else if (entry) entry.tree = tree ?? (await this.#treeOf(entry));
    child.now = undefined;
    if (entry) entry.place = undefined;
  }

  async #treeOf(entry: Entry): Promise<Fingerprint | undefined> {
    return entry instanceof Standing && entry.kind === 'directory' ? this.fingerprint(entry) : undefined;
  }

  /** What a standing directory holds on the disk, but for what is moved out of it, or what `without` says. */
  async fingerprint(entry: Standing, without: ReadonlySet<string> = this.#movedOutOf(entry)): Promise<Fingerprint> {
    await using directory = await this.#at(entry.root).root.openDirectory(toBytes(entry.path));
    return { hash: await fingerprintOf(directory, (path) => without.has(path)), without };
  }

  #movedOutOf(entry: Standing): Set<string> {
    const movedOut = new Set<string>();
    const search = (directory: Entry, prefix: string) => {
      for (const { name, before, now } of directory.children.values()) {
        if (!before) continue;
        if (before !== now && this.view.finalPathOf(before)) movedOut.add(prefix + name);
        else search(before, `${prefix}${name}/`);
      }
    };
    search(entry, '');
    return movedOut;
  }

  #sourceOf(entry: Entry): Source {
    const { root, base, path } = this.view.whereOf(entry);
    return { base: this.#baseOf(root, base), path };
  }

  #baseOf(root: number, base: 'root' | 'work'): DirectoryFd {
    return base === 'root' ? this.#at(root).root : this.#at(root).work;
  }

  /** A copy of an entry as the view has it, in a new slot. */
  async #copied(entry: Entry, to: Participant, root: number, subject: ErrorSubject): Promise<Staged> {
    const slot = to.newSlot();
    const name = String(slot);
    const source = this.#sourceOf(entry);
    if (entry.kind === 'symlink') {
      await stageSymlink(to, name, await source.base.readlink(toBytes(source.path), { encoding: 'buffer' }));
      to.staged(1);
      return new Staged(root, 'symlink', slot);
    }
    if (entry.kind === 'file') {
      const copy = new Staged(root, 'file', slot, await stageCopy(to, name, source));
      to.staged(1);
      if (entry.mode !== undefined) await this.#chmodStaged(copy, entry.mode);
      return copy;
    }
    if (entry.kind !== 'directory') {
      throw invalid(`'${toText(entry.path)}' is a ${entry.kind}, which is not copied`, subject);
    }
    const copy = new Staged(root, 'directory', slot);
    if (this.view.isPlain(entry)) {
      this.notKept.push(...(await stageTree(to, name, source)));
      to.staged(Number.POSITIVE_INFINITY);
      return copy;
    }
    const mode = await stageDirectoryLike(to, name, source);
    await this.#chmodStaged(copy, entry.mode ?? mode);
    for (const child of await this.view.childrenOf(entry)) {
      const inside = await this.view.childOf(copy, child.name);
      await this.#put(inside, await this.#copied(child.now as Entry, to, root, subject));
    }
    to.staged(1);
    return copy;
  }
}

function name(child: Child, entry: Entry): void {
  entry.place = child;
  child.now = entry;
}
