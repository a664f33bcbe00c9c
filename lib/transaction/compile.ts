/** From the view to the steps that make it true: each name that means something else than before changes exactly once. */

import type { FileFd } from '../dirfd/file-fd.js';
import type { Stat } from '../dirfd/stat.js';
import { unless } from '../dirfd/unless.js';
import { ConflictError, operationError } from '../operation-errors.js';
import type { Draft } from './draft.js';
import { contentOf, fingerprintOf, type Identity, identityOf, isSame, isUntouched, sha256Of } from './identity.js';
import { depthOf, joined, toBytes, toText } from './names.js';
import type { Participant } from './participant.js';
import { pathOf, phaseOf, type Step } from './steps.js';
import { type Child, type Directory, type Entry, Staged, Standing, type View } from './view.js';

/** Files that are read or asked for together. */
const SIDE_BY_SIDE = 64;

/** A step whose identities are not known yet. */
type Outline =
  | { readonly do: 'detach'; readonly child: Child; readonly old: Standing; readonly moved: boolean }
  | { readonly do: 'attach'; readonly child: Child; readonly new: Entry }
  | { readonly do: 'exchange'; readonly child: Child; readonly old: Standing; readonly new: Entry }
  | { readonly do: 'chmod'; readonly of: Entry; readonly to: number };

/** In the order in which they are to be taken. */
export async function compile(draft: Draft, participants: readonly Participant[]): Promise<Step[]> {
  const outlines = outline(draft.view);
  const compiler = new Compiler(draft, participants);
  await compiler.look();
  const steps: Step[] = [];
  for (let at = 0; at < outlines.length; at += SIDE_BY_SIDE) {
    steps.push(...(await Promise.all(outlines.slice(at, at + SIDE_BY_SIDE).map((each) => compiler.step(each)))));
  }
  return steps.sort(byOrder);
}

function outline(view: View): Outline[] {
  const outlines: Outline[] = [];
  for (const directory of view.visited) {
    const isReachable = view.finalPathOf(directory) !== undefined;
    if (isReachable && directory.mode !== undefined) outlines.push({ do: 'chmod', of: directory, to: directory.mode });
    for (const child of directory.children.values()) {
      const { before, now } = child;
      if (now?.mode !== undefined && !view.visited.has(now) && view.finalPathOf(now)) {
        outlines.push({ do: 'chmod', of: now, to: now.mode });
      }
      // What lies in a staged directory is there already, but for what comes from elsewhere.
      if (before === now || (directory instanceof Staged && now instanceof Staged)) continue;
      const moved = before !== undefined && view.finalPathOf(before) !== undefined;
      if (before && now && !moved) {
        if (isReachable) outlines.push({ do: 'exchange', child, old: before, new: now });
        continue;
      }
      // What is deleted within a directory that is deleted goes with it.
      if (before && (moved || isReachable)) outlines.push({ do: 'detach', child, old: before, moved });
      if (now && isReachable) outlines.push({ do: 'attach', child, new: now });
    }
  }
  return outlines;
}

class Compiler {
  readonly #draft: Draft;
  readonly #participants: readonly Participant[];
  /** Of what is staged, by root and slot. */
  readonly #staged: Map<string, Identity>[] = [];
  readonly #slots = new Map<Standing, number>();

  constructor(draft: Draft, participants: readonly Participant[]) {
    this.#draft = draft;
    this.#participants = participants;
  }

  /** One listing for all that is staged, instead of a stat each. */
  async look(): Promise<void> {
    for (const { work } of this.#participants) {
      const entries = await work.entries();
      this.#staged.push(new Map(entries.map(({ name, stat }) => [name, identityOf(stat)])));
    }
  }

  async step(each: Outline): Promise<Step> {
    if (each.do === 'chmod') {
      const of = await this.#identityOf(each.of);
      return { do: 'chmod', ...(await this.#finalPlace(each.of.place as Child)), of, from: of.mode, to: each.to };
    }
    const { child } = each;
    if (each.do === 'detach') {
      const { root, path, identity } = child.in as Standing;
      const place = { root, parent: path, within: withinOf(identity), name: child.name };
      const old = each.moved ? each.old.identity : await this.#withContent(each.old);
      return { do: 'detach', ...place, slot: this.#slotOf(each.old), old, moved: each.moved };
    }
    const place = await this.#finalPlace(child);
    const slot = this.#slotOf(each.new);
    const entry = { new: await this.#identityOf(each.new), moved: each.new instanceof Standing };
    if (each.do === 'attach') return { do: 'attach', ...place, slot, ...entry };
    return { do: 'exchange', ...place, slot, old: await this.#withContent(each.old), ...entry };
  }

  async #finalPlace(child: Child) {
    const { root, path } = this.#draft.view.finalPathOf(child.in) as { root: number; path: string };
    return { root, parent: path, within: withinOf(await this.#identityOf(child.in)), name: child.name };
  }

  #slotOf(entry: Entry): number {
    if (entry instanceof Staged) return entry.slot;
    const slot = this.#slots.get(entry) ?? this.#participants[entry.root]?.newSlot() ?? 0;
    this.#slots.set(entry, slot);
    return slot;
  }

  async #identityOf(entry: Directory): Promise<Identity> {
    if (entry instanceof Standing) return entry.identity;
    const { work } = this.#participants[entry.root] as Participant;
    const known = this.#staged[entry.root]?.get(entry.path);
    const identity = known ?? identityOf(await work.stat(toBytes(entry.path)));
    if (entry.kind === 'file') return { ...identity, sha256: entry.sha256 };
    if (entry.kind !== 'directory' || entry.place?.in instanceof Staged) return identity;
    await using tree = await work.openDirectory(toBytes(entry.path));
    return { ...identity, tree: await fingerprintOf(tree) };
  }

  /** What is to be replaced or deleted, as it is now, which must be as it was when the operation was added. */
  async #withContent(entry: Standing): Promise<Identity> {
    const { root } = this.#participants[entry.root] as Participant;
    if (entry.kind === 'directory') return { ...entry.identity, tree: (await this.#draft.fingerprint(entry)).hash };
    if (entry.kind !== 'file') return entry.identity;
    const file: FileFd | undefined = await unless('EACCES', root.openFile(toBytes(entry.path)));
    // Its owner may delete what not even the owner may read; inode, size and times must do.
    if (file === undefined) return entry.identity;
    await using _file = file;
    const sha256 = await sha256Of(file);
    if (!isUntouched(await file.stat(), entry.identity)) throw conflict([entry.path], root.path);
    return { ...entry.identity, sha256 };
  }
}

/**
 * Whether all is on the disk as it was when the operations were added: what is replaced, deleted, was read or gets a mode; and that nothing is
 * where something new is to be.
 *
 * @returns paths of what is not
 */
export async function changedMeanwhile(draft: Draft, participants: readonly Participant[]): Promise<string[]> {
  const changed: string[] = [];
  const check = async (child: Child): Promise<void> => {
    const { before, now, wasRead } = child;
    const keepsItsName = before === now && !wasRead;
    if (!(child.in instanceof Standing) || (keepsItsName && now?.mode === undefined)) return;
    const { root } = participants[child.in.root] as Participant;
    const path = joined(child.in.path, child.name);
    const stat = await root.stat(toBytes(path)).catch(() => undefined);
    // A mode is for the inode, whatever that holds.
    const isStill = keepsItsName ? isSame : isUntouched;
    const isAsBefore =
      before === undefined ? stat === undefined : isStill(stat, before.identity) && hasMode(before, stat);
    const tree = before?.kind === 'directory' ? before.tree : undefined;
    const isWhole =
      !isAsBefore || !tree || (await draft.fingerprint(before as Standing, tree.without)).hash === tree.hash;
    const read = before?.readSha256;
    const isAsRead = !isAsBefore || !read || (await contentOf(root, toBytes(path)).catch(() => '')) === read;
    if (!isAsBefore || !isWhole || !isAsRead) changed.push(path);
  };
  for (const { children } of draft.view.visited) {
    const pending = [...children.values()];
    while (pending.length > 0) await Promise.all(pending.splice(-SIDE_BY_SIDE).map(check));
  }
  return changed;
}

/** Whether an entry that gets a mode has the one that it would get back. */
function hasMode({ mode, identity }: Standing, stat: Stat | undefined): boolean {
  return mode === undefined || (stat !== undefined && (stat.mode & 0o7777) === identity.mode);
}

/** @param paths one byte a character */
export function conflict(paths: readonly string[], directory: string): ConflictError {
  const shown = paths.map(toText);
  const [path] = shown;
  const others = paths.length > 1 ? `, as have ${paths.length - 1} others` : '';
  const why = `somebody else has changed it meanwhile${others}; nothing was applied`;
  return operationError(
    ConflictError,
    'ERR_DIRFD_CONFLICT',
    why,
    { verb: 'commit', directory, path },
    undefined,
    shown,
  );
}

export function withinOf({ ino, birth }: Identity): string {
  return `${ino} ${birth}`;
}

/** Detaches from the deepest, attaches and exchanges from the top, modes from the deepest; within a directory by name. */
function byOrder(a: Step, b: Step): number {
  const phase = phaseOf(a);
  if (phase !== phaseOf(b)) return phase - phaseOf(b);
  const depth = depthOf(pathOf(a)) - depthOf(pathOf(b));
  if (depth !== 0) return phase === 1 ? depth : -depth;
  if (a.root !== b.root) return a.root - b.root;
  if (a.parent !== b.parent) return a.parent < b.parent ? -1 : 1;
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}
