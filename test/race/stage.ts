// One operation, once: what it is given, and what became of it.
import { DirectoryFd } from 'dirfd';
import type { Arena } from './arena.js';
import { loot, outsidersName, secret } from './outside.js';
import { lastResort, type Watchdog } from './watchdog.js';

export class Tally {
  runs = 0;
  exchanges = 0;
  escapes = 0;
  hangs = 0;
  /** By code; what an attack may cause. */
  readonly errors = new Map<string, number>();
  /** What the first escapes and hangs were. */
  readonly notes: string[] = [];

  escape(note: string): void {
    this.escapes++;
    this.#note(note);
  }

  hang(note: string): void {
    this.hangs++;
    this.#note(note);
  }

  error(code: string): void {
    this.errors.set(code, (this.errors.get(code) ?? 0) + 1);
  }

  #note(note: string): void {
    if (this.notes.length < 10) this.notes.push(note);
  }
}

/** What an operation is given. The directories are held from before the first exchange. */
export class Stage implements AsyncDisposable {
  readonly forbidden: { holds(ino: bigint): boolean; readonly name: string; readonly secret: string };

  private constructor(
    readonly arena: Arena,
    /** The attacked tree. */
    readonly tree: DirectoryFd,
    /** The directory that holds the pair. */
    readonly parent: DirectoryFd,
    /** The tree that is not attacked, where there is one. */
    readonly other: DirectoryFd | undefined,
    readonly tally: Tally,
    readonly watchdog: Watchdog,
  ) {
    this.forbidden = { holds: (ino) => arena.outside.holds(ino), name: outsidersName, secret };
  }

  /** While the flipper rests. */
  static async open(arena: Arena, tally: Tally, watchdog: Watchdog): Promise<Stage> {
    const crossMounts = arena.attack.exchange !== 'directory-mount';
    const tree = await DirectoryFd.open(arena.tree, { crossMounts });
    const parent = await tree.openDirectory(arena.way || '.');
    const name = arena.attack.side === 'source' ? arena.destination : arena.source;
    const other = await DirectoryFd.open(name, { crossMounts }).catch(() => undefined);
    return new Stage(arena, tree, parent, other, tally, watchdog);
  }

  /** One run. `inspect` says what the answer gives away, or nothing. */
  readonly attempt = async <T>(
    label: string,
    act: () => T | PromiseLike<T>,
    inspect: (value: T) => string | undefined | Promise<string | undefined> = () => undefined,
  ): Promise<void> => {
    this.tally.runs++;
    this.watchdog.begin();
    try {
      const value = await inTime(act());
      this.#watched(label);
      const seen = await inspect(value);
      if (seen !== undefined) this.tally.escape(`${label} ${seen}`);
    } catch (error) {
      this.#watched(label);
      if (error instanceof NeverSettled) throw new Error(`${label} never settles`);
      this.tally.error(codeOf(error));
    }
  };

  /** After the runs, while the flipper rests: what has come in, and whether anything outside has changed. */
  inspect(label: string, target: string | undefined): void {
    const { arena, tally } = this;
    const looted = target === undefined ? undefined : loot(target, arena.mounts());
    if (looted !== undefined) tally.escape(`${label}: ${looted}`);
    if (!arena.outside.hasChanged()) return;
    tally.escape(`${label}: something outside has changed`);
    arena.outside.rebuild();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.parent.close();
    await this.tree.close();
    await this.other?.close();
  }

  #watched(label: string): void {
    if (this.watchdog.end()) this.tally.hang(`${label} waited`);
  }
}

class NeverSettled extends Error {}

/** Rejects what never settles, even though the watchdog has freed whatever waits on a FIFO. */
async function inTime<T>(work: T | PromiseLike<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new NeverSettled()), lastResort / 2);
  });
  return await Promise.race([work, late]).finally(() => clearTimeout(timer));
}

/** An error without a code is none that a system call or dirfd makes: the harness or the operation is broken. */
function codeOf(error: unknown): string {
  const { code } = error as { readonly code?: string | number };
  if (code === undefined) throw error;
  return String(code);
}
