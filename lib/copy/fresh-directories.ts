/**
 * Directories that the copy has made and not filled yet. Nothing is to be decided in them, so native code is given many at a time, goes on into
 * those that it makes in them, and gives back what it did not come to.
 */

import { native } from '../native/load.js';
import {
  type NativeCopy,
  type NativeFilled,
  type NativeOpened,
  type NativePlace,
  type State,
  TICKET,
  type Ticket,
} from '../native/trees.js';
import { type Directory, newDirectory } from './directory.js';
import type { Scheduler } from './scheduler.js';
import type { TreePath } from './tree-path.js';

/** More at a time are no gain: native code looks at the clock. */
const MOST = 64;

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
  /** `above` has one less to wait for. */
  filled(above: Directory): void;
}

export class FreshDirectories {
  readonly #copy: NativeCopy;
  readonly #scheduler: Scheduler;
  readonly #onlyMount: bigint;
  readonly #listener: Listener;
  readonly #waiting: FreshDirectory[] = [];
  #tasks = 0;

  /** @param onlyMount directories of other mounts stay empty; 0: none does */
  constructor(copy: NativeCopy, scheduler: Scheduler, onlyMount: bigint, listener: Listener) {
    this.#copy = copy;
    this.#scheduler = scheduler;
    this.#onlyMount = onlyMount;
    this.#listener = listener;
  }

  push(directory: FreshDirectory): void {
    directory.above.children++;
    this.#waiting.push(directory);
    if (this.#tasks < this.#scheduler.limit) this.#start();
  }

  #start(): void {
    this.#tasks++;
    this.#scheduler.pushLast(async () => {
      const some = this.#take();
      if (some.length > 0) await this.#fill(some);
      this.#tasks--;
      if (this.#waiting.length > 0) this.#start();
    });
  }

  /** One task's share: the newest, so that the tree is walked depth first. */
  #take(): readonly FreshDirectory[] {
    const share = Math.min(Math.ceil(this.#waiting.length / this.#scheduler.limit), MOST);
    return this.#waiting.splice(this.#waiting.length - share, share);
  }

  async #fill(some: readonly FreshDirectory[]): Promise<void> {
    const pieces = some.map(({ path }) => path.above);
    const paths = Buffer.concat(some.flatMap(({ path }) => [path.rest, NUL]));
    const tickets = Buffer.concat(some.map(({ ticket }) => ticket));
    const states = Uint8Array.from(some, ({ state }) => state);
    const filled = await native
      .copyFill(this.#copy, pieces, paths, tickets, states, this.#onlyMount)
      .catch((failure: unknown) => failAll(some, failure, this.#listener));
    if (filled) this.#goOn(some, filled);
    for (const { above } of some) {
      above.children--;
      this.#listener.filled(above);
    }
  }

  #goOn(some: readonly FreshDirectory[], filled: NativeFilled): void {
    this.#listener.count(filled);
    const pathOf = ({ origin, below }: NativePlace): TreePath =>
      (some[origin] as FreshDirectory).path.descendant(below);
    for (const failed of filled.failed ?? []) this.#listener.fail(failed.failure, pathOf(failed));
    for (const directory of restOf(filled, some)) this.push(directory);
    for (const opened of filled.opened ?? []) {
      const { above: parent, state } = some[opened.origin] as FreshDirectory;
      const fixed = {
        path: pathOf(opened),
        ticket: NO_TICKET,
        state,
        parent,
        bare: false,
        surveyed: false,
        seen: false,
      };
      parent.children++;
      this.#listener.enter(newDirectory(fixed), opened);
    }
  }
}

function failAll(some: readonly FreshDirectory[], failure: unknown, listener: Listener): undefined {
  for (const { path } of some) listener.fail(failure, path);
}

function* restOf({ rest }: NativeFilled, given: readonly FreshDirectory[]): Generator<FreshDirectory> {
  if (!rest) return;
  let from = 0;
  for (const [at, origin] of rest.origins.entries()) {
    const end = rest.paths.indexOf(0, from);
    const { above, path: origins } = given[origin] as FreshDirectory;
    const path = origins.descendant(rest.paths.subarray(from, end));
    const ticket = Buffer.from(rest.tickets.subarray(TICKET * at, TICKET * (at + 1)));
    yield { above, path, ticket, state: rest.states[at] as State };
    from = end + 1;
  }
}
