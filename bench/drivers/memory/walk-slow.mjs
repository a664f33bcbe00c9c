// A consumer that takes its time: what has been found waits for it, and must not pile up.
import { setTimeout as sleep } from 'node:timers/promises';

export const name = 'dirfd walk(), slow consumer';

export async function load() {
  const { walk } = await import('../../../dist/index.js');
  return async (root, visit) => {
    let entries = 0;
    for await (const entry of walk(root)) {
      visit(entry.path, entry.stat.size, entry.stat.mode);
      if (++entries % 5000 === 0) await sleep(2);
    }
  };
}
