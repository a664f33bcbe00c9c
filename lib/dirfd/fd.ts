/**
 * What DirectoryFd and FileFd share: one open descriptor and its life.
 *
 *   open ──close()──▶ closing ──last operation done──▶ closed
 *
 * New operations are refused from the moment close() is called; those in flight finish first, so a descriptor number is never reused
 * under an operation. A handle that becomes garbage while open is closed then, with a process warning.
 */

import { type InspectOptions, inspect } from 'node:util';
import { type ErrorSubject, type FsError, ownError, toFsError } from '../errors.js';
import { native } from '../native/load.js';
import type { NativeHandle } from '../native/surface.js';
import type { RelativePath } from './path.js';

/** The key under which the layers above find what they need of a handle; not exported by the package. */
export const INTERNAL: unique symbol = Symbol('dirfd.internal');

/** Options that every operation takes. */
export interface SignalOptions {
  /**
   * Rejects the promise with the signal's reason. A system call that has begun cannot be stopped: a change may still take effect, while
   * a descriptor that arrives late is closed.
   */
  readonly signal?: AbortSignal | undefined;
}

interface Leaked {
  readonly handle: NativeHandle;
  readonly label: string;
}

const forgotten = new FinalizationRegistry<Leaked>(({ handle, label }) => {
  if (native.fdNumber(handle) < 0) return;
  native.closeSync(handle);
  process.emitWarning(`${label} was garbage collected while open; use 'await using' or close()`, 'DirfdWarning');
});

/** An open descriptor. Operations in flight keep it open; what a closed one is asked for is refused with ERR_DIRFD_CLOSED. */
export abstract class Fd implements AsyncDisposable {
  readonly #handle: NativeHandle;
  readonly #kind: string;
  readonly #label: string;
  readonly #place: Pick<ErrorSubject, 'directory' | 'path'>;
  #inFlight = 0;
  #closing: Promise<void> | undefined;
  #idle: (() => void) | undefined;

  /** @internal @param place what errors name, where that is not the label as a directory */
  protected constructor(
    handle: NativeHandle,
    kind: 'DirectoryFd' | 'FileFd',
    label: string,
    place: Pick<ErrorSubject, 'directory' | 'path'> = { directory: label },
  ) {
    this.#handle = handle;
    this.#kind = kind;
    this.#label = label;
    this.#place = place;
    forgotten.register(this, { handle, label: `${kind} '${label}'` }, this);
  }

  /** The path it was opened by: a label for people, never used to open anything again. */
  get path(): string {
    return this.#label;
  }

  /** True from the moment close() is called. */
  get closed(): boolean {
    return this.#closing !== undefined;
  }

  /**
   * Waits for the operations in flight, then closes. Calling it again waits for the same end.
   *
   * @throws FsError EIO, ENOSPC or EDQUOT where a network file system reports a failed write only now (close(2))
   */
  close(): Promise<void> {
    this.#closing ??= this.#finish();
    return this.#closing;
  }

  /**
   * Closes at once.
   *
   * @throws FsError ERR_DIRFD_BUSY while operations are in flight: they would have to be waited for
   */
  closeSync(): void {
    if (this.#closing) return;
    const subject: ErrorSubject = { verb: 'close', ...this.#place };
    if (this.#inFlight > 0) throw ownError('ERR_DIRFD_BUSY', `operations in flight: ${this.#inFlight}`, subject);
    this.#closing = Promise.resolve();
    forgotten.unregister(this);
    try {
      native.closeSync(this.#handle);
    } catch (thrown) {
      throw toFsError(thrown, native.callNames, subject);
    }
  }

  /** close(), for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /**
   * The descriptor's number, for calls that dirfd lacks. It is valid only while this handle is open and reachable, and whoever closes it
   * elsewhere breaks both. -1 once closed.
   */
  unsafeFd(): number {
    return native.fdNumber(this.#handle);
  }

  /** What console.log shows. */
  [inspect.custom](_depth: number, options: InspectOptions): string {
    return `${this.#kind} ${inspect({ path: this.#label, closed: this.closed }, options)}`;
  }

  /** @internal Directory and name, for errors. */
  protected get place(): Pick<ErrorSubject, 'directory' | 'path'> {
    return this.#place;
  }

  /** @internal The native handle, and a hold on it that keeps close() waiting. */
  get [INTERNAL](): { readonly handle: NativeHandle; hold(subject: ErrorSubject): () => void } {
    return { handle: this.#handle, hold: (subject) => this.#hold(subject) };
  }

  /** @internal Runs one asynchronous native call, with errors that name `subject`. */
  protected async perform<T>(
    subject: ErrorSubject,
    signal: AbortSignal | undefined,
    call: (handle: NativeHandle) => Promise<T>,
    discard?: (late: T) => void,
  ): Promise<T> {
    checkSignal(signal, subject);
    signal?.throwIfAborted();
    const release = this.#hold(subject);
    try {
      const outcome = started(() => call(this.#handle)).finally(release);
      return await (signal ? abortable(outcome, signal, discard) : outcome);
    } catch (thrown) {
      throw toFsError(thrown, native.callNames, subject);
    }
  }

  /** @internal Runs one synchronous native call. */
  protected performSync<T>(subject: ErrorSubject, call: (handle: NativeHandle) => T): T {
    if (this.#closing) throw this.#closedError(subject);
    try {
      return call(this.#handle);
    } catch (thrown) {
      throw toFsError(thrown, native.callNames, subject);
    }
  }

  #hold(subject: ErrorSubject): () => void {
    if (this.#closing) throw this.#closedError(subject);
    this.#inFlight++;
    return () => {
      if (--this.#inFlight === 0) this.#idle?.();
    };
  }

  async #finish(): Promise<void> {
    forgotten.unregister(this);
    if (this.#inFlight > 0) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
    }
    try {
      await native.close(this.#handle);
    } catch (thrown) {
      throw toFsError(thrown, native.callNames, { verb: 'close', ...this.#place });
    }
  }

  #closedError(subject: ErrorSubject): FsError {
    return ownError('ERR_DIRFD_CLOSED', `this ${this.#kind} is closed`, { ...this.#place, ...subject });
  }
}

/** For people, of what lies in a directory. */
export function labelOf(directory: string, path: RelativePath): string {
  return `${directory.replace(/\/$/, '')}/${typeof path === 'string' ? path : Buffer.from(path).toString('utf8')}`;
}

/** A call that throws at once is a call that failed: its hold on the handle has to end like any other's. */
async function started<T>(call: () => Promise<T>): Promise<T> {
  return call();
}

/** @throws FsError ERR_DIRFD_INVALID_ARGUMENT for a `signal` that is none */
export function checkSignal(signal: AbortSignal | undefined, subject: ErrorSubject): void {
  if (signal === undefined || signal instanceof AbortSignal) return;
  throw ownError('ERR_DIRFD_INVALID_ARGUMENT', 'signal must be an AbortSignal', subject);
}

/** Settles with the signal's reason as soon as it aborts; a result that comes later goes to `discard`. */
export function abortable<T>(outcome: Promise<T>, signal: AbortSignal, discard?: (late: T) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      reject(signal.reason);
      outcome.then(discard).catch(() => {}); // nobody waits for it any more, whatever becomes of it
    };
    signal.addEventListener('abort', onAbort, { once: true });
    outcome.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
