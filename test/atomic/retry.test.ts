// What may pass is tried again, at whichever call it comes: here EMFILE, which another part of the process may end at any moment.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { DirectoryFd, FsError } from 'dirfd';
import { mergeConfig, updateJson } from 'dirfd/atomic';
import { rejects } from '../dirfd/scratch.js';
import { type TestLike, temporaryDirectory } from '../fixtures/temporary.js';

type Method = (...args: unknown[]) => Promise<unknown>;

/** Lets the calls of a method that are named by their numbers fail. @returns what ends that, and tells how many were made */
function failing(place: object, method: string, isFailing: (call: number) => boolean): () => number {
  const methods = place as Record<string, Method>;
  const original = methods[method] as Method;
  let calls = 0;
  methods[method] = async function (this: unknown, ...args) {
    if (isFailing(calls++)) throw new FsError('EMFILE', { code: 'EMFILE' });
    return await original.apply(this, args);
  };
  return () => {
    methods[method] = original;
    return calls;
  };
}

function counter(t: TestLike): string {
  const file = join(temporaryDirectory(t), 'count.json');
  writeFileSync(file, '{"n":0}');
  return file;
}

const VERBS: Readonly<
  Record<string, (file: string, retry: number | { attempts?: number; delay: number }) => Promise<unknown>>
> = {
  updateJson: (file, retry) => updateJson<{ n: number }>(file, (data) => ({ n: (data?.n ?? 0) + 1 }), { retry }),
  mergeConfig: (file, retry) => mergeConfig([file], file, { retry }),
};

for (const [name, verb] of Object.entries(VERBS)) {
  test(`${name} opens again what could not be opened, and no more often than it may`, async (t) => {
    const file = counter(t);
    for (const [place, method] of [
      [DirectoryFd, 'open'],
      [DirectoryFd.prototype, 'openFile'],
    ] as const) {
      let made = 1;
      for (let failed = 0; failed < made; failed++) {
        const { n } = JSON.parse(readFileSync(file, 'utf8'));
        const end = failing(place, method, (call) => call === failed);
        await verb(file, { delay: 0 }).finally(() => {
          made = end() - 1;
        });
        const now = JSON.parse(readFileSync(file, 'utf8')).n;
        assert.equal(now, name === 'updateJson' ? n + 1 : n, `${method} ${failed}`);
      }
    }
    const end = failing(DirectoryFd, 'open', () => true);
    await rejects(verb(file, 1), 'EMFILE');
    await rejects(verb(file, { attempts: 2, delay: 0 }), 'EMFILE');
    assert.equal(end(), 3);
  });
}
