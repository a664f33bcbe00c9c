/** Work on several files at a time, its results in the order of the files. */

import { parallelism } from '../native/parallelism.js';

/** Each file in work has a chunk in memory, and the state of its compression. */
const AT_A_TIME = Math.max(2, Math.min(parallelism, 8));

/** None is in work any more when it ends, however it ends. */
export async function* inOrder<T, R>(
  items: AsyncIterable<T> | Iterable<T>,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  const running: Promise<R>[] = [];
  try {
    for await (const item of items) {
      const result = work(item);
      // Awaited in its turn, and until then not to be taken for a failure that nobody hears of.
      result.catch(() => {});
      running.push(result);
      if (running.length >= AT_A_TIME) yield await (running.shift() as Promise<R>);
    }
    while (running.length > 0) yield await (running.shift() as Promise<R>);
  } finally {
    await Promise.allSettled(running);
  }
}
