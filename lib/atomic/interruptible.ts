/** Pieces from a source that may stall: who waits for the next one can be told to stop. */

/**
 * The pieces of a source, until one of the signals says otherwise: then its reason is thrown at once. The source is told to end, and not waited
 * for, because it may never answer.
 */
export async function* interruptible<T>(
  source: AsyncIterable<T> | Iterable<T>,
  signals: readonly (AbortSignal | undefined)[],
): AsyncGenerator<T, void, undefined> {
  const iterator = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  let state: 'between' | 'asked' | 'ended' = 'between';
  try {
    for (;;) {
      state = 'asked';
      const { done, value } = await orStopped(async () => iterator.next(), signals);
      state = done ? 'ended' : 'between';
      if (done) return;
      yield value;
    }
  } finally {
    const end = async () => void (await iterator.return?.());
    if (state === 'between') await end();
    // Stopped, or it has failed, where this does nothing.
    else if (state === 'asked') end().catch(() => {});
  }
}

function orStopped<T>(ask: () => Promise<T>, signals: readonly (AbortSignal | undefined)[]): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signals.find((signal) => signal?.aborted)?.reason);
    if (signals.some((signal) => signal?.aborted)) return stop();
    for (const signal of signals) signal?.addEventListener('abort', stop, { once: true });
    ask()
      .then(resolve, reject)
      .finally(() => {
        for (const signal of signals) signal?.removeEventListener('abort', stop);
      });
  });
}
