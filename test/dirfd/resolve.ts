// One question to a resolver, and its answer as a text. Run as a program, it asks the whole table:
//     node resolve.js ROOT RESOLUTION      prints a JSON array, no-follow and follow by turns
import { constants } from 'node:os';
import { DirectoryFd, FsError } from 'dirfd';
import { type ResolutionMode, resolverCases } from '../fixtures/resolver-cases.js';

export type Form = 'noFollow' | 'follow';
export const forms: readonly Form[] = ['noFollow', 'follow'];

/** What dirfd finds: `dev ino`, or the name of the errno; without one (refused before any call) its own code. */
export async function resolve(directory: DirectoryFd, path: string, form: Form): Promise<string> {
  try {
    const { dev, ino } = form === 'follow' ? await directory.statFollow(path) : await directory.stat(path);
    return `${dev} ${ino}`;
  } catch (error) {
    if (error instanceof FsError) return error.errno === undefined ? error.code : errnoName(Math.abs(error.errno));
    throw error;
  }
}

export function errnoName(number: number): string {
  return Object.entries(constants.errno).find(([, value]) => value === number)?.[0] ?? `errno ${number}`;
}

async function askTable(root: string, resolution: ResolutionMode): Promise<string[]> {
  const answers: string[] = [];
  await using directory = await DirectoryFd.open(root, { resolution });
  for (const { path } of resolverCases) {
    for (const form of forms) answers.push(await resolve(directory, path, form));
  }
  return answers;
}

const [, program, root, resolution] = process.argv;
if (program === import.meta.filename && root !== undefined) {
  console.log(JSON.stringify(await askTable(root, resolution as ResolutionMode)));
}
