/**
 * One lock file, open once in this thread however many want its lock. The kernel's lock belongs to the open file; who of this thread has
 * it is decided here, by a queue, and handed on without a system call:
 *
 *   claim ──acquire──▶ queue (by priority, then by arrival) ──its turn──▶ kernel: try, else wait on a native thread ──▶ held
 *
 *   kernel lock    exclusive while an exclusive claim holds, shared while shared ones do, none while nobody does
 *   native wait    at most one, for the first in the queue; while it runs nothing else touches the kernel's lock, because both act on one
 *                  description, and the later would be lost in the earlier
 *   upgrade        goes before the queue; the shared lock stays while it waits
 *   hand-over      for TURN at most; then the kernel's lock is given up for a moment, for other processes to have theirs
 *   failed unlock  is told to who releases; the kernel's lock stays as it is known, and whatever comes next tries again. A wait whose turn
 *                  needs that unlock is failed with its error
 */

import { constants } from 'node:fs';
import type { DirectoryFd } from '../dirfd/directory-fd.js';
import { INTERNAL } from '../dirfd/fd.js';
import type { FileFd } from '../dirfd/file-fd.js';
import { startTimer } from '../dirfd/file-lock.js';
import type { RelativePath } from '../dirfd/path.js';
import { type ErrorSubject, FsError, toFsError } from '../errors.js';
import { native } from '../native/load.js';
import { LOCK_KINDS } from '../native/surface.js';
import { LockError, LockTimeoutError, operationError } from '../operation-errors.js';
import { describeHolder, type LockHolder, mayHoldRecord, readRecord, writeRecord } from './lock-record.js';
import { refuseNetwork } from './network.js';
import type { Owner } from './owner.js';
import { addWait, deadlockError, findCycle, removeWait, type Wait } from './wait-graph.js';

type Kind = (typeof LOCK_KINDS)[number];

/** Milliseconds for which a lock is handed on inside this thread. */
const TURN = 20;
/** Milliseconds in which others may take it. */
const REST = 1;

/** Where a lock file lies, and how it may be made. */
export interface LockPlace {
  readonly directory: DirectoryFd;
  readonly name: RelativePath;
  readonly mode: number | string;
  readonly allowNetwork: boolean;
}

/** Who holds or wants the lock. */
export interface Claimant {
  readonly owner: Owner;
  kind: Kind;
}

/** How long, and how urgently. */
export interface Patience {
  /** performance.now() at which to give up. */
  readonly deadline: number;
  /** What that was, in milliseconds, for the message. */
  readonly timeout: number;
  readonly priority: number;
  readonly signal?: AbortSignal | undefined;
}

interface Request extends Wait {
  readonly claimant: Claimant;
  readonly shared: boolean;
  readonly priority: number;
  grant(): void;
  fail(error: unknown): void;
}

interface KernelWait {
  readonly shared: boolean;
  readonly signal: AbortSignal;
  abort(): void;
  readonly ended: Promise<void>;
}

/** By device and inode: an open file's number is not given to another. */
const files = new Map<string, LockFile>();

export class LockFile {
  readonly #key: string;
  readonly #file: FileFd;
  readonly #recorded: boolean;
  readonly #holders = new Set<Claimant>();
  readonly #queue: Request[] = [];
  #references = 1;
  #kernel: Kind = 'none';
  /** When the kernel's lock was taken. */
  #since = 0;
  #resting = false;
  #wait: KernelWait | undefined;

  private constructor(key: string, file: FileFd) {
    this.#key = key;
    this.#file = file;
    this.#recorded = mayHoldRecord(file);
  }

  /** Opens it, or what is open of it in this thread already. Let go of it with {@link drop}. */
  static async open(place: LockPlace, subject: ErrorSubject, signal?: AbortSignal): Promise<LockFile> {
    const flags = constants.O_RDWR | constants.O_CREAT;
    const file = await place.directory.openFile(place.name, { flags, mode: place.mode, signal });
    try {
      const { nlink, key } = await identify(file);
      const known = files.get(key);
      if (known) {
        known.#references++;
        try {
          await file.close();
        } catch (error) {
          await known.drop();
          throw error;
        }
        return known;
      }
      // A record is written into it: through another name that would be somebody else's file.
      if (nlink > 1) {
        throw operationError(LockError, 'ERR_DIRFD_LOCK', 'the lock file has other names (hard links)', subject);
      }
      if (!place.allowNetwork) refuseNetwork(file, subject);
      const opened = new LockFile(key, file);
      files.set(key, opened);
      return opened;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  retain(): this {
    this.#references++;
    return this;
  }

  unsafeFd(): number {
    return this.#file.unsafeFd();
  }

  /** The last one closes the file. */
  async drop(): Promise<void> {
    if (--this.#references > 0) return;
    files.delete(this.#key);
    await this.#file.close();
    await this.#wait?.ended;
  }

  /** Whether the place still names this file: a lock on another one is no lock. */
  isAt({ directory, name }: LockPlace): boolean {
    try {
      const { dev, ino } = directory.statSync(name);
      return `${dev}:${ino}` === this.#key;
    } catch (error) {
      if (error instanceof FsError && error.code === 'ENOENT') return false;
      throw error;
    }
  }

  /** Without waiting, and without passing those who wait. */
  tryAcquire(claimant: Claimant, shared: boolean): boolean {
    const passes = this.#queue.length > 0 && claimant.kind === 'none';
    if (passes || this.#wait || this.#resting || this.#isInTheWay(claimant, shared)) return false;
    if (!this.#tryKernel(shared)) return false;
    this.#hold(claimant, shared);
    return true;
  }

  /** For those whom {@link tryAcquire} has refused. @throws LockTimeoutError, DeadlockError, the signal's reason */
  async acquire(claimant: Claimant, shared: boolean, patience: Patience, subject: ErrorSubject): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const { signal, deadline, timeout } = patience;
    let onAbort = () => {};
    try {
      await new Promise<void>((resolve, reject) => {
        const request: Request = {
          claimant,
          shared,
          owner: claimant.owner,
          priority: claimant.kind === 'none' ? patience.priority : Number.POSITIVE_INFINITY,
          ahead: () => this.#ahead(request),
          grant: resolve,
          fail: (error) => {
            reject(error);
            this.#leave(request);
          },
        };
        timer = startTimer(Math.max(deadline - performance.now(), 0), () =>
          request.fail(this.#timeoutError(timeout, subject)),
        );
        onAbort = () => request.fail(signal?.reason);
        signal?.addEventListener('abort', onAbort, { once: true });
        this.#enter(request, subject);
      });
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      // A wait that is over has let go of the kernel, and of its thread, before anybody hears of it.
      if (this.#wait?.signal.aborted) await this.#wait.ended;
    }
  }

  /** Ends the wait of a claimant, if it waits. */
  withdraw(claimant: Claimant, why: () => unknown): void {
    const request = this.#queue.find((each) => each.claimant === claimant);
    // An error costs more than a lock: none is made where nobody hears of it.
    request?.fail(why());
  }

  release(claimant: Claimant): void {
    this.#holders.delete(claimant);
    claimant.kind = 'none';
    const isFree = this.#holders.size === 0;
    // It waits to upgrade a lock that nobody holds any more. To drop that now could drop what the wait has just been granted: its end pumps.
    if (isFree && this.#wait) this.#wait.abort();
    else if (isFree && this.#queue.length > 0 && performance.now() - this.#since > TURN) this.#rest();
    else this.#pump();
  }

  /** From exclusive to shared, without a moment of neither. */
  downgrade(claimant: Claimant): void {
    this.#convert('shared');
    claimant.kind = 'shared';
    this.#pump();
  }

  holder(subject: ErrorSubject): LockHolder | undefined {
    const found = this.#holders.size > 0 ? this.#kernel : this.#lockOfOthers(subject);
    if (found === 'none') return undefined;
    const record = found === 'exclusive' && this.#recorded ? readRecord(this.#file) : undefined;
    return { shared: found === 'shared', ...record };
  }

  #enter(request: Request, subject: ErrorSubject): void {
    const behind = this.#queue.findIndex(({ priority }) => priority < request.priority);
    this.#queue.splice(behind < 0 ? this.#queue.length : behind, 0, request);
    addWait(request);
    const cycle = findCycle(request);
    if (cycle === undefined) this.#pumpAside();
    else request.fail(deadlockError(cycle, subject));
  }

  #leave(request: Request): void {
    const index = this.#queue.indexOf(request);
    if (index < 0) return;
    this.#queue.splice(index, 1);
    removeWait(request);
    this.#pumpAside();
  }

  *#ahead(request: Request): Generator<Owner> {
    for (const holder of this.#holders) {
      if (holder !== request.claimant && conflicts(holder, request.shared)) yield holder.owner;
    }
    for (const other of this.#queue) {
      if (other === request) return;
      if (!other.shared || !request.shared) yield other.owner;
    }
  }

  /** For callbacks and for those who wait: none of them has given up the lock that may not be given back now. */
  #pumpAside(): void {
    try {
      this.#pump();
    } catch {
      // It stays as it is known: see above.
    }
  }

  /** Lets in whoever may go, and brings the kernel's lock to what is needed. @throws where that cannot be, when all are in */
  #pump(): void {
    for (;;) {
      const head = this.#queue[0];
      if (this.#resting) return;
      if (this.#wait) {
        if (head?.shared !== this.#wait.shared) this.#wait.abort();
        return;
      }
      if (head === undefined || this.#isInTheWay(head.claimant, head.shared)) break;
      try {
        if (!this.#tryKernel(head.shared)) {
          this.#waitForOthers(head.shared);
          return;
        }
      } catch (error) {
        head.fail(error);
        continue;
      }
      this.#queue.shift();
      removeWait(head);
      this.#hold(head.claimant, head.shared);
      head.grant();
    }
    this.#relax();
  }

  #hold(claimant: Claimant, shared: boolean): void {
    claimant.kind = shared ? 'shared' : 'exclusive';
    this.#holders.add(claimant);
    if (!shared && this.#recorded)
      writeRecord(this.#file, typeof claimant.owner === 'string' ? claimant.owner : undefined);
  }

  #isInTheWay(claimant: Claimant, shared: boolean): boolean {
    for (const holder of this.#holders) if (holder !== claimant && conflicts(holder, shared)) return true;
    return false;
  }

  #tryKernel(shared: boolean): boolean {
    const wanted = shared ? 'shared' : 'exclusive';
    if (this.#kernel === wanted) return true;
    if (!this.#convert(wanted)) return false;
    this.#since = performance.now();
    return true;
  }

  /** Gives up what of the kernel's lock nobody here holds. */
  #relax(): void {
    const needed = [...this.#holders].some(({ kind }) => kind === 'exclusive')
      ? 'exclusive'
      : this.#holders.size > 0
        ? 'shared'
        : 'none';
    this.#convert(needed);
  }

  /** The lock of other processes and threads is waited for in the kernel. */
  #waitForOthers(shared: boolean): void {
    // A shared lock that is left of earlier holders would be in the way of another process's upgrade, which is in the way of this wait.
    if (this.#holders.size === 0) this.#convert('none');
    const controller = new AbortController();
    const ended = this.#file.lock({ shared, signal: controller.signal }).then(
      () => {
        this.#kernel = shared ? 'shared' : 'exclusive';
        this.#since = performance.now();
        this.#wait = undefined;
        this.#pumpAside();
      },
      (error: unknown) => {
        this.#wait = undefined;
        if (!controller.signal.aborted) this.#queue[0]?.fail(error);
        this.#pumpAside();
      },
    );
    this.#wait = { shared, signal: controller.signal, abort: () => controller.abort(), ended };
  }

  /** The kernel wakes those of other processes; before they run, this thread would have taken the lock again. */
  #rest(): void {
    this.#resting = true;
    setTimeout(() => {
      this.#resting = false;
      this.#pumpAside();
    }, REST);
    this.#convert('none');
  }

  /** @returns false where a lock of somebody else is in the way */
  #convert(kind: Kind): boolean {
    if (this.#kernel === kind || this.#file.closed) return true;
    try {
      native.tryLockSync(this.#file[INTERNAL].handle, LOCK_KINDS.indexOf(kind), 0, 0);
    } catch (thrown) {
      const error = toFsError(thrown, native.callNames, { verb: 'lock', directory: this.#file.path });
      // Nobody can be in the way of an unlock.
      if (kind !== 'none' && error instanceof FsError && error.code === 'EAGAIN') return false;
      throw error;
    }
    this.#kernel = kind;
    return true;
  }

  #lockOfOthers(subject: ErrorSubject): Kind {
    try {
      const found = native.findLockSync(this.#file[INTERNAL].handle, LOCK_KINDS.indexOf('exclusive'), 0, 0);
      return LOCK_KINDS[found] ?? 'none';
    } catch (thrown) {
      throw toFsError(thrown, native.callNames, subject);
    }
  }

  #timeoutError(timeout: number, subject: ErrorSubject): LockTimeoutError {
    let told = '';
    try {
      const holder = this.holder(subject);
      if (holder) told = `: ${describeHolder(holder)}`;
    } catch {
      // The time is over all the same.
    }
    return operationError(LockTimeoutError, 'ERR_DIRFD_LOCK_TIMEOUT', `not free within ${timeout} ms${told}`, subject);
  }
}

function conflicts(holder: Claimant, shared: boolean): boolean {
  return !shared || holder.kind === 'exclusive';
}

async function identify(file: FileFd): Promise<{ readonly nlink: number; readonly key: string }> {
  const { dev, ino, nlink } = await file.stat();
  return { nlink, key: `${dev}:${ino}` };
}
