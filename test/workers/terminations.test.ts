import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { assertDescriptorsReturn, openDescriptors } from '../fixtures/descriptors.js';
import { temporaryDirectory } from '../fixtures/temporary.js';

/** A thousand on request. */
const terminations = Number(process.env.DIRFD_TEST_TERMINATIONS ?? 200);
const together = 4;

test(`${terminations} worker threads terminated in the middle of their work leave no descriptor and no thread behind`, async (t) => {
  const directory = temporaryDirectory(t);
  mkdirSync(join(directory, 'sub/sub'), { recursive: true });
  for (let i = 0; i < 100; i++) writeFileSync(join(directory, 'sub/sub', `file-${i}`), 'x'.repeat(i));

  await terminateOne(directory); // what the process keeps for its life (its pinned /proc) is there from now on
  const descriptors = openDescriptors();
  const threads = await settledThreads();
  for (let done = 0; done < terminations; done += together) {
    await Promise.all(Array.from({ length: together }, () => terminateOne(directory)));
  }
  await assertDescriptorsReturn(descriptors, 10);
  assert.ok((await settledThreads()) <= threads, 'threads are left');
});

async function terminateOne(directory: string): Promise<void> {
  const worker = new Worker(new URL('./busy-worker.js', import.meta.url), { workerData: directory });
  const failed = new Promise<never>((_, reject) => worker.once('error', reject));
  await Promise.race([new Promise((resolve) => worker.once('message', resolve)), failed]);
  await Promise.race([sleep(Math.random() * 30), failed]);
  await worker.terminate();
}

/** The number of this process's threads, once it has stopped falling. */
async function settledThreads(): Promise<number> {
  let count = readdirSync('/proc/self/task').length;
  for (let quiet = 0; quiet < 5; quiet++) {
    await sleep(50);
    const now = readdirSync('/proc/self/task').length;
    if (now < count) quiet = 0;
    count = now;
  }
  return count;
}
