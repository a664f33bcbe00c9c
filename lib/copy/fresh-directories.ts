/**
 * Directories that the copy has made and not filled yet. Nothing is to be decided in them, so native code is given them all, goes on into those that
 * it makes in them, and tells of those in which something is left to do.
 */

import { native } from '../native/load.js';
import type { NativeCopy, NativeFilled, NativeFilling, NativeOpened, State, Ticket } from '../native/trees.js';
import { type Directory, newDirectory } from './directory.js';
import type { Scheduler } from './scheduler.js';
import { TreePath } from './tree-path.js';

const NUL = Buffer.of(0);
const NO_TICKET = Buffer.alloc(0);

export interface FreshDirectory {
  /** The nearest directory above it that JavaScript knows, which waits for it. */
  readonly above: Directory;
  readonly path: TreePath;
  readonly ticket: Ticket;
  readonly state: State;
}

/** Who hears of what was done. */
export interface Listener {
  count(filled: NativeFilled): void;
  /** Something is left to do in a directory, or to tell of it. */
  enter(directory: Directory, opened: NativeOpened): void;
  fail(failure: unknown, path: TreePath): void;
  /** Nothing more can be filled at all. */
  broken(failure: unknown): Error;
  /** `above` has one less to wait for. */
  filled(above: Directory): void;
}

/** What is known of a directory until all below it is done. */
type Origin = Pick<FreshDirectory, 'above' | 'state'>;

export class FreshDirectories {
  readonly #filling: NativeFilling;
  readonly #scheduler: Scheduler;
  readonly #listener: Listener;
  readonly #origins = new Map<number, Origin>();
  #lastOrigin = 0;
  /** To be given to native code by the next task. */
  #next: (FreshDirectory & { readonly origin: number })[] = [];
  #tasks = 0;

  /** @param onlyMount directories of other mounts stay empty; 0: none does */
  constructor(copy: NativeCopy, scheduler: Scheduler, onlyMount: bigint, listener: Listener) {
    this.#filling = native.newFilling(copy, onlyMount);
    this.#scheduler = scheduler;
    this.#listener = listener;
  }

  push(directory: FreshDirectory): void {
    directory.above.children++;
    const origin = ++this.#lastOrigin;
    this.#origins.set(origin, directory);
    this.#next.push({ ...directory, origin });
    if (this.#tasks < this.#scheduler.limit) this.#start();
  }

  /** One task. They share what was given, so one may find nothing to do; and it starts others where more is waiting. */
  #start(): void {
    this.#tasks++;
    this.#scheduler.pushLast(async () => {
      // Whoever pushes one pushes all that a directory has.
      await undefined;
      const waiting = await this.#fill();
      this.#tasks--;
      const wanted = Math.min(this.#tasks + waiting + this.#next.length, this.#scheduler.limit);
      while (this.#tasks < wanted) this.#start();
    });
  }

  /** @returns how many directories still wait */
  async #fill(): Promise<number> {
    const given = this.#next;
    this.#next = [];
    const filled = await native
      .copyFill(
        this.#filling,
        given.map(({ path }) => path.above),
        Buffer.concat(given.flatMap(({ path }) => [path.rest, NUL])),
        Buffer.concat(given.map(({ ticket }) => ticket)),
        Uint8Array.from(given, ({ state }) => state),
        new Uint8Array(Uint32Array.from(given, ({ origin }) => origin).buffer),
      )
      .catch((failure: unknown) => Promise.reject(this.#listener.broken(failure)));
    this.#goOn(filled);
    return filled.waiting;
  }

  #goOn(filled: NativeFilled): void {
    this.#listener.count(filled);
    for (const { above, rest, failure } of filled.failed ?? []) this.#listener.fail(failure, TreePath.of(rest, above));
    for (const opened of filled.opened ?? []) {
      const { above: parent, state } = this.#origins.get(opened.origin) as Origin;
      const path = TreePath.of(opened.rest, opened.above);
      parent.children++;
      const fixed = { path, ticket: NO_TICKET, state, parent, bare: false, surveyed: false, seen: false };
      this.#listener.enter(newDirectory(fixed), opened);
    }
    for (const origin of filled.done) {
      const { above } = this.#origins.get(origin) as Origin;
      this.#origins.delete(origin);
      above.children--;
      this.#listener.filled(above);
    }
  }
}
