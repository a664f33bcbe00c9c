/** What LockManager gives out. */

import { LockError, operationError } from '../operation-errors.js';
import type { Claim, LockWaitOptions } from './claim.js';
import { ownerName } from './owner.js';

/** A lock that is held, until release(), the end of an `await using` block, or the end of the process. */
export class Lease implements AsyncDisposable {
  /** Of what. */
  readonly id: string;
  readonly #claim: Claim;
  readonly #onRelease: () => Promise<void>;
  #released: Promise<void> | undefined;

  /** @internal */
  constructor(id: string, claim: Claim, onRelease: () => Promise<void>) {
    this.id = id;
    this.#claim = claim;
    this.#onRelease = onRelease;
  }

  get owner(): string {
    return ownerName(this.#claim.owner);
  }
  get shared(): boolean {
    return this.#claim.kind === 'shared';
  }
  get released(): boolean {
    return this.#released !== undefined;
  }
  /** False once released, and when the lock was broken: then others may be inside, too. */
  get valid(): boolean {
    return !this.released && this.#claim.isValid();
  }

  /**
   * From shared to exclusive. The shared lock stays while the other holders are waited for, and when the wait fails.
   *
   * @param options `timeout` is 30,000 ms by default
   * @throws AlreadyLockedError, LockTimeoutError, DeadlockError
   */
  async upgrade(options: LockWaitOptions = {}): Promise<void> {
    this.#checkHeld('upgrade');
    await this.#claim.lock(false, options, DEFAULT_TIMEOUT);
  }

  /** From exclusive to shared: others who share may come in, and nobody has changed anything meanwhile. */
  async downgrade(): Promise<void> {
    this.#checkHeld('downgrade');
    await this.#claim.lock(true, {}, DEFAULT_TIMEOUT);
  }

  /** Calling it again waits for the same end. */
  release(): Promise<void> {
    this.#released ??= this.#onRelease();
    return this.#released;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
  }

  #checkHeld(verb: string): void {
    if (!this.released) return;
    const subject = { verb, directory: this.#claim.place.directory.path, path: this.id };
    throw operationError(LockError, 'ERR_DIRFD_LOCK', 'released already', subject);
  }
}

/** Milliseconds. */
export const DEFAULT_TIMEOUT = 30_000;

/** Several leases, taken in an order that all keep, and released together. */
export class Leases implements AsyncDisposable, Iterable<Lease> {
  readonly #leases: readonly Lease[];

  /** @internal */
  constructor(leases: readonly Lease[]) {
    this.#leases = leases;
  }

  get ids(): readonly string[] {
    return this.#leases.map(({ id }) => id);
  }

  [Symbol.iterator](): Iterator<Lease> {
    return this.#leases[Symbol.iterator]();
  }

  async release(): Promise<void> {
    await Promise.all(this.#leases.map((lease) => lease.release()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
  }
}
