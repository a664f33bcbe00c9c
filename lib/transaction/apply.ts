/**
 * Takes steps and takes them back. Three callers: the commit (`take`), the recovery (`retake`, `takeBack`) and undo (`takeBack`).
 *
 * The commit has just checked everything, so it acts first and looks at what it got afterwards: a file that somebody slipped in between is put back.
 * The others look first, and every step may be found done already: what has happened is told by inodes and content, never by a name alone.
 * Where an entry is neither what the step left nor what it found, it is somebody else's: it stays, and the path is reported.
 */

import type { DirectoryFd } from '../dirfd/directory-fd.js';
import type { Stat } from '../dirfd/stat.js';
import { FsError } from '../errors.js';
import { isAbsent, statOf } from './absent.js';
import { withinOf } from './compile.js';
import { SYNCED_ONE_BY_ONE } from './durable.js';
import { fingerprintOf, hasSameContent, type Identity, identityOf, isSame, sha256Of } from './identity.js';
import { changeMode } from './mode.js';
import { toBytes } from './names.js';
import { exchange, exchangeBack, give, oldSlotOf, type Pair, take } from './renames.js';
import { groupsOf, pathOf, phaseOf, type Step } from './steps.js';

/** Where a root's names are, and where its slots. */
export interface Base {
  readonly root: DirectoryFd;
  readonly work: DirectoryFd;
}

export type Numbered = readonly [number, Step];

/** Steps of one directory that are under way together. */
const SIDE_BY_SIDE = 32;

/** A step that finds something else than was there a moment ago. */
export class Obstacle extends Error {
  readonly step: Step;
  constructor(step: Step) {
    super(pathOf(step));
    this.step = step;
  }
}

export class Applier implements AsyncDisposable {
  readonly #bases: readonly Base[];
  /** What each new directory holds, by the number of its step, where that is more than what was staged. */
  readonly #trees: ReadonlyMap<number, string>;
  /** Directories that were changed and are to be synced, by root, inode and time of birth. */
  readonly #changed = new Map<string, DirectoryFd>();
  #tooMany = false;

  constructor(bases: readonly Base[], trees: ReadonlyMap<number, string> = new Map()) {
    this.#bases = bases;
    this.#trees = trees;
  }

  /** @throws Obstacle, or what a system call failed with; steps before it have been taken */
  async take(steps: readonly Numbered[], onTaken: (count: number) => void, signal?: AbortSignal): Promise<void> {
    await this.#inGroups(steps, async ([, step], directory) => {
      signal?.throwIfAborted();
      if (directory === undefined) throw new Obstacle(step);
      await this.#take(step, this.#pair(step, directory), directory);
      onTaken(1);
    });
  }

  /** Takes those steps that have not been taken. @returns the ones that cannot be */
  async retake(steps: readonly Numbered[]): Promise<Step[]> {
    const obstacles: Step[] = [];
    await this.#inGroups(steps, async ([, step], directory) => {
      if (!(await this.#retake(step, directory))) obstacles.push(step);
    });
    return obstacles;
  }

  /** From the last to the first. @returns the ones that cannot be taken back */
  async takeBack(steps: readonly Numbered[]): Promise<Step[]> {
    const obstacles: Step[] = [];
    await this.#inGroups([...steps].reverse(), async (numbered, directory) => {
      if (!(await this.#takeBack(numbered, directory))) obstacles.push(numbered[1]);
    });
    return obstacles;
  }

  /** Which of these steps, all of them taken, could not be taken back without losing what somebody has done since. */
  async changedSince(steps: readonly Numbered[]): Promise<Step[]> {
    const changed: Step[] = [];
    await this.#inGroups(steps, async (numbered, directory) => {
      if (!(await this.#isAsLeft(numbered, directory))) changed.push(numbered[1]);
    });
    return changed;
  }

  /** Resolves when all steps that were taken are on the disk. */
  async sync(): Promise<void> {
    await this.#syncChanged();
    await this.#close();
  }

  async #syncChanged(): Promise<void> {
    if (this.#tooMany) {
      for (const { root } of this.#bases) await root.syncFileSystem();
    } else {
      const works = this.#bases.map(({ work }) => work);
      await Promise.all([...this.#changed.values(), ...works].map((directory) => directory.sync()));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }

  async #inGroups(
    steps: readonly Numbered[],
    act: (numbered: Numbered, directory: DirectoryFd | undefined) => Promise<void>,
  ): Promise<void> {
    const order = new Order(steps);
    for (const group of groupsOf(steps)) {
      if (order.needsBarrier(group)) await this.#syncChanged();
      const directory = await this.#open(group[0]?.[1] as Step);
      const pending = [...group].reverse();
      const work = async () => {
        for (let next = pending.pop(); next; next = pending.pop()) await act(next, directory);
      };
      // All must have ended before anything is taken back.
      const ends = await Promise.allSettled(Array.from({ length: Math.min(SIDE_BY_SIDE, group.length) }, work));
      const failed = ends.find((end) => end.status === 'rejected');
      if (failed) throw failed.reason;
    }
  }

  /** The directory that the steps are about; undefined where another one, or none, has its path. */
  async #open({ root, parent, within }: Step): Promise<DirectoryFd | undefined> {
    const key = `${root} ${within}`;
    const known = this.#changed.get(key);
    let directory: DirectoryFd;
    try {
      directory = await this.#bases[root]!.root.openDirectory(parent === '' ? '.' : toBytes(parent));
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw error;
    }
    if (withinOf(identityOf(await directory.stat())) !== within) {
      await directory.close();
      return undefined;
    }
    if (known) {
      await directory.close();
      return known;
    }
    if (this.#changed.size >= SYNCED_ONE_BY_ONE) await this.#giveUpCounting();
    this.#changed.set(key, directory);
    return directory;
  }

  async #giveUpCounting(): Promise<void> {
    this.#tooMany = true;
    await this.#close();
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#changed.values()].map((directory) => directory.close()));
    this.#changed.clear();
  }

  #pair(step: Step, directory: DirectoryFd): Pair {
    const { work } = this.#bases[step.root] as Base;
    return { directory, name: toBytes(step.name), work, slot: step.do === 'chmod' ? '' : String(step.slot) };
  }

  async #take(step: Step, pair: Pair, directory: DirectoryFd): Promise<void> {
    const { work, slot, name } = pair;
    if (step.do === 'chmod') {
      if ((await changeMode(directory, name, step.of, step.to)) !== 'set') throw new Obstacle(step);
      return;
    }
    try {
      if (step.do === 'detach') await take(pair);
      else if (step.do === 'attach') await give(pair);
      else await exchange(pair);
    } catch (error) {
      if (error instanceof FsError && ['EEXIST', 'ENOENT', 'ENOTEMPTY'].includes(error.code)) throw new Obstacle(step);
      throw error;
    }
    if (step.do === 'attach' || (step.do === 'detach' && step.moved)) return;
    const kept = await statOf(work, slot);
    const got = kept ?? (await statOf(work, oldSlotOf(slot)));
    const where = kept ? slot : oldSlotOf(slot);
    const isWhole = isSame(got, step.old) && hasSameContent(got, step.old);
    if (isWhole && (step.old.tree === undefined || (await treeIn(work, where)) === step.old.tree)) return;
    // Somebody was quicker: theirs goes back to where it was.
    if (step.do === 'detach') await give(pair);
    else await (kept ? exchange(pair) : exchangeBack(pair));
    throw new Obstacle(step);
  }

  async #retake(step: Step, directory: DirectoryFd | undefined): Promise<boolean> {
    const found = await this.#look(step, directory);
    if (directory === undefined || found === undefined) return step.do === 'detach' || !(await this.#isWaiting(step));
    const pair = this.#pair(step, directory);
    const { named, slotted, kept } = found;
    switch (step.do) {
      case 'detach':
        if (isSame(named, step.old)) {
          if (!step.moved && !(await this.#isUnchanged(directory, pair.name, named, step.old))) return false;
          await take(pair);
          return true;
        }
        if (slotted !== undefined) {
          if (isSame(slotted, step.old) && hasSameContent(slotted, step.old)) return true;
          if (named === undefined) await give(pair);
          return false;
        }
        // Gone by another's hand, or moved on to where it is to be.
        return step.moved || named === undefined;
      case 'attach':
        if (!isSame(slotted, step.new)) return true;
        if (isSame(named, step.new)) await pair.work.unlink(pair.slot);
        else if (named === undefined) await give(pair);
        else return false;
        return true;
      case 'exchange':
        if (!isSame(slotted, step.new)) {
          const old = slotted ?? kept;
          if (old === undefined || (isSame(old, step.old) && hasSameContent(old, step.old))) return true;
          // The crash came between the exchange and the look at what it brought: an edit of somebody who was quicker.
          if (isSame(named, step.new)) await (slotted ? exchange(pair) : exchangeBack(pair));
          return false;
        }
        if (isSame(named, step.old)) {
          if (!(await this.#isUnchanged(directory, pair.name, named, step.old))) return false;
          if (kept) await pair.work.unlink(oldSlotOf(pair.slot));
          await exchange(pair);
          return true;
        }
        if (named !== undefined || !isSame(kept, step.old)) return false;
        await give(pair);
        return true;
      case 'chmod':
        return (await changeMode(directory, pair.name, step.of, step.to, step.from)) !== 'edited';
    }
  }

  async #takeBack([, step]: Numbered, directory: DirectoryFd | undefined): Promise<boolean> {
    const found = await this.#look(step, directory);
    // Without its directory, only what lies in the slot would have nowhere to go.
    if (directory === undefined || found === undefined) return !(await this.#holdsOld(step));
    const pair = this.#pair(step, directory);
    const { named, slotted, kept } = found;
    switch (step.do) {
      case 'detach': {
        if (isSame(named, step.old)) return true;
        if (slotted === undefined) return true;
        if (!isSame(slotted, step.old) || named !== undefined) return false;
        await give(pair);
        return true;
      }
      case 'attach':
        if (isSame(named, step.new)) {
          if (isSame(slotted, step.new)) await pair.directory.unlink(pair.name);
          else if (!step.moved && !(await this.#isOurs(step, directory, named))) return false;
          else await take(pair);
          return true;
        }
        // Not taken yet, or gone by another's hand: nothing of ours has the name.
        return true;
      case 'exchange':
        if (isSame(named, step.old)) return true;
        if (named === undefined && !isSame(slotted, step.old) && isSame(kept, step.old)) {
          await give({ ...pair, slot: oldSlotOf(pair.slot) });
          return true;
        }
        if (!isSame(named, step.new)) return !isSame(slotted, step.old) && !isSame(kept, step.old);
        if (!step.moved && !(await this.#isOurs(step, directory, named))) return false;
        if (isSame(slotted, step.old)) await exchange(pair);
        else if (isSame(kept, step.old)) await exchangeBack(pair);
        else return false;
        return true;
      case 'chmod':
        return (await changeMode(directory, pair.name, step.of, step.from, step.to)) !== 'edited';
    }
  }

  async #isAsLeft([number, step]: Numbered, directory: DirectoryFd | undefined): Promise<boolean> {
    const found = await this.#look(step, directory);
    // The directory of a detach may have moved with this transaction, and comes back with it.
    if (directory === undefined || found === undefined) return step.do === 'detach';
    const { named, slotted, kept } = found;
    switch (step.do) {
      case 'detach':
        return step.moved || (named === undefined && isSame(slotted, step.old));
      case 'attach':
        return (
          isSame(named, step.new) &&
          (step.moved || (await this.#isOurs(step, directory, named, this.#trees.get(number))))
        );
      case 'exchange': {
        const old = isSame(slotted, step.old) || isSame(kept, step.old);
        if (!old || !isSame(named, step.new)) return false;
        return step.moved || (await this.#isOurs(step, directory, named, this.#trees.get(number)));
      }
      case 'chmod':
        return isSame(named, step.of) && (named.mode & 0o7777) === step.to;
    }
  }

  async #look(step: Step, directory: DirectoryFd | undefined) {
    if (directory === undefined) return undefined;
    const { name, work, slot } = this.#pair(step, directory);
    const [named, slotted, kept] = await Promise.all([
      statOf(directory, name),
      slot === '' ? undefined : statOf(work, slot),
      slot === '' ? undefined : statOf(work, oldSlotOf(slot)),
    ]);
    return { named, slotted, kept };
  }

  /** Whether what the step is to bring still lies in its slot. */
  async #isWaiting(step: Step): Promise<boolean> {
    if (step.do !== 'attach' && step.do !== 'exchange') return false;
    return isSame(await statOf(this.#bases[step.root]!.work, String(step.slot)), step.new);
  }

  /** Whether what the step has taken away lies in its slot. */
  async #holdsOld(step: Step): Promise<boolean> {
    if (step.do !== 'detach' && step.do !== 'exchange') return false;
    const { work } = this.#bases[step.root] as Base;
    const [slotted, kept] = [await statOf(work, String(step.slot)), await statOf(work, oldSlotOf(String(step.slot)))];
    return isSame(slotted, step.old) || isSame(kept, step.old);
  }

  /** Whether an entry that the transaction replaces or deletes is as it was when it was added. */
  async #isUnchanged(directory: DirectoryFd, name: Buffer, stat: Stat, old: Identity): Promise<boolean> {
    if (old.tree !== undefined) return (await treeIn(directory, name)) === old.tree;
    if (!hasSameContent(stat, old)) return false;
    if (String(stat.ctimeNs) === old.ctime || old.sha256 === undefined) return true;
    return (await contentOf(directory, name)) === old.sha256;
  }

  /** Whether an entry that the transaction has brought holds what it brought; `tree`: with what further steps have put into it. */
  async #isOurs(
    step: { readonly new: Identity; readonly name: string },
    directory: DirectoryFd,
    stat: Stat,
    tree = step.new.tree,
  ): Promise<boolean> {
    const { sha256 } = step.new;
    const name = toBytes(step.name);
    if (tree !== undefined) return (await treeIn(directory, name)) === tree;
    if (sha256 === undefined) return true;
    return stat.size === step.new.size && (await contentOf(directory, name)) === sha256;
  }
}

/**
 * Where steps depend on each other. A crash may leave any of the changes since the last sync undone, in any order. Every step finds out by itself
 * whether it was taken, but for one in a directory that is not where the step looks for it, because a later step has moved that directory
 * away: so what was done inside a directory is synced before the directory moves.
 */
class Order {
  readonly #touched = new Set<string>();
  readonly #replacesDirectories: boolean;
  #phase: number | undefined;

  constructor(steps: readonly Numbered[]) {
    this.#replacesDirectories = steps.some(([, step]) => step.do === 'exchange' && step.old.kind === 'directory');
  }

  needsBarrier(group: readonly Numbered[]): boolean {
    const first = group[0]?.[1] as Step;
    const phase = phaseOf(first);
    // Detaches name the paths from before, exchanges those from afterwards: they are not compared.
    const changesPaths = this.#phase === 0 && phase === 1 && this.#replacesDirectories;
    this.#phase = phase;
    const moves = group.some(([, step]) => step.do !== 'chmod' && this.#touched.has(`${step.root} ${pathOf(step)}`));
    for (let path = first.parent; path !== ''; path = path.slice(0, Math.max(path.lastIndexOf('/'), 0))) {
      this.#touched.add(`${first.root} ${path}`);
    }
    return changesPaths || moves;
  }
}

/** What each directory that these steps brought holds by now, where steps have gone into it. */
export async function treesOf(bases: readonly Base[], steps: readonly Step[]): Promise<Record<string, string>> {
  const trees: Record<string, string> = {};
  const inside = new Set(steps.map(({ root, parent }) => `${root} ${parent}`));
  for (const [number, step] of steps.entries()) {
    if ((step.do !== 'attach' && step.do !== 'exchange') || step.moved || step.new.tree === undefined) continue;
    const prefix = `${step.root} ${pathOf(step)}`;
    if (![...inside].some((parent) => parent === prefix || parent.startsWith(`${prefix}/`))) continue;
    try {
      trees[number] = await treeIn(bases[step.root]!.root, toBytes(pathOf(step)));
    } catch (error) {
      // Renamed or removed by somebody since: what it holds is theirs.
      if (!isAbsent(error)) throw error;
    }
  }
  return trees;
}

async function treeIn(directory: DirectoryFd, name: string | Buffer): Promise<string> {
  await using tree = await directory.openDirectory(name);
  return await fingerprintOf(tree);
}

async function contentOf(directory: DirectoryFd, name: Buffer): Promise<string> {
  await using file = await directory.openFile(name);
  return await sha256Of(file);
}
