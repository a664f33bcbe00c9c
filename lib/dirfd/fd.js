/**
 * What DirectoryFd and FileFd share: one open descriptor and its life.
 *
 *   open ──close()──▶ closing ──last operation done──▶ closed
 *
 * New operations are refused from the moment close() is called; those in flight finish first, so a descriptor number is never reused
 * under an operation. A handle that becomes garbage while open is closed then, with a process warning.
 */
import { ownError, toFsError } from '../errors.js';
import { native } from '../native/load.js';
/** The key under which the layers above find what they need of a handle; not exported by the package. */
export const INTERNAL = Symbol('dirfd.internal');
const forgotten = new FinalizationRegistry(({ handle, label }) => {
    if (native.fdNumber(handle) < 0)
        return;
    native.closeSync(handle);
    process.emitWarning(`${label} was garbage collected while open; use 'await using' or close()`, 'DirfdWarning');
});
export class Fd {
    #handle;
    #kind;
    #label;
    #inFlight = 0;
    #closing;
    #idle;
    /** @internal */
    constructor(handle, kind, label) {
        this.#handle = handle;
        this.#kind = kind;
        this.#label = label;
        forgotten.register(this, { handle, label: `${kind} '${label}'` }, this);
    }
    /** The path it was opened by: a label for people, never used to open anything again. */
    get path() {
        return this.#label;
    }
    /** True from the moment close() is called. */
    get closed() {
        return this.#closing !== undefined;
    }
    /**
     * Waits for the operations in flight, then closes. Calling it again waits for the same end.
     *
     * @throws FsError EIO, ENOSPC or EDQUOT where a network file system reports a failed write only now (close(2))
     */
    close() {
        this.#closing ??= this.#finish();
        return this.#closing;
    }
    /**
     * Closes at once.
     *
     * @throws FsError ERR_DIRFD_CLOSED while operations are in flight: they would have to be waited for
     */
    closeSync() {
        if (this.#closing)
            return;
        const subject = { verb: 'close', directory: this.#label };
        if (this.#inFlight > 0)
            throw ownError('ERR_DIRFD_CLOSED', `${this.#inFlight} operations are in flight`, subject);
        this.#closing = Promise.resolve();
        forgotten.unregister(this);
        try {
            native.closeSync(this.#handle);
        }
        catch (thrown) {
            throw toFsError(thrown, native.callNames, subject);
        }
    }
    async [Symbol.asyncDispose]() {
        await this.close();
    }
    /**
     * The descriptor's number, for calls that dirfd lacks. It is valid only while this handle is open and reachable, and whoever closes it
     * elsewhere breaks both. -1 once closed.
     */
    unsafeFd() {
        return native.fdNumber(this.#handle);
    }
    /** @internal The native handle, and a hold on it that keeps close() waiting. */
    get [INTERNAL]() {
        return { handle: this.#handle, hold: (subject) => this.#hold(subject) };
    }
    /** @internal Runs one asynchronous native call, with errors that name `subject`. */
    async perform(subject, signal, call, discard) {
        checkSignal(signal, subject);
        signal?.throwIfAborted();
        const release = this.#hold(subject);
        try {
            const outcome = started(() => call(this.#handle)).finally(release);
            return await (signal ? abortable(outcome, signal, discard) : outcome);
        }
        catch (thrown) {
            throw toFsError(thrown, native.callNames, subject);
        }
    }
    /** @internal Runs one synchronous native call. */
    performSync(subject, call) {
        if (this.#closing)
            throw this.#closedError(subject);
        try {
            return call(this.#handle);
        }
        catch (thrown) {
            throw toFsError(thrown, native.callNames, subject);
        }
    }
    #hold(subject) {
        if (this.#closing)
            throw this.#closedError(subject);
        this.#inFlight++;
        return () => {
            if (--this.#inFlight === 0)
                this.#idle?.();
        };
    }
    async #finish() {
        forgotten.unregister(this);
        if (this.#inFlight > 0) {
            await new Promise((resolve) => {
                this.#idle = resolve;
            });
        }
        try {
            await native.close(this.#handle);
        }
        catch (thrown) {
            throw toFsError(thrown, native.callNames, { verb: 'close', directory: this.#label });
        }
    }
    #closedError(subject) {
        return ownError('ERR_DIRFD_CLOSED', `this ${this.#kind} is closed`, { directory: this.#label, ...subject });
    }
}
/** A call that throws at once is a call that failed: its hold on the handle has to end like any other's. */
async function started(call) {
    return call();
}
/** @throws FsError ERR_DIRFD_INVALID_ARGUMENT for a `signal` that is none */
export function checkSignal(signal, subject) {
    if (signal === undefined || signal instanceof AbortSignal)
        return;
    throw ownError('ERR_DIRFD_INVALID_ARGUMENT', 'signal must be an AbortSignal', subject);
}
/** Settles with the signal's reason as soon as it aborts; a result that comes later goes to `discard`. */
export function abortable(outcome, signal, discard) {
    return new Promise((resolve, reject) => {
        const onAbort = () => {
            reject(signal.reason);
            outcome.then(discard).catch(() => { }); // nobody waits for it any more, whatever becomes of it
        };
        signal.addEventListener('abort', onAbort, { once: true });
        outcome.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
    });
}
//# sourceMappingURL=fd.js.map