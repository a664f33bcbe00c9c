// One atomic write in a process of its own, under strace: what it did in the file's directory, call by call.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { importable } from '../fixtures/ordinary-user.js';
import { repositoryRoot } from '../fixtures/repository.js';
import { type StraceOptions, type SyscallEvent, strace, type Traced } from '../fixtures/strace.js';

export const OLD = 'the old content\n';
export const NEW = `the new content ${'x'.repeat(200)}\n`;

const atomic = new URL('dist/atomic/main.js', `file://${repositoryRoot}/`).href;

// The directory that is held is the one above: then only the writing thread ever opens the file's own, and calls can be told by it.
const script = importable(`
  import { DirectoryFd } from 'dirfd';
  import { writeFileAtomic } from '${atomic}';
  const directory = await DirectoryFd.open(process.argv[1]);
  await writeFileAtomic(directory, 'place/file', ${JSON.stringify(NEW)}, JSON.parse(process.argv[2])).catch((error) => {
    console.log(error.name, error.code);
    process.exitCode = 3;
  });
`);

export interface WriteRun extends StraceOptions {
  readonly options?: object;
  readonly disabled?: string;
}

/** Writes NEW to `above`/place/file. */
export function tracedWrite(above: string, { options = {}, disabled = '', ...how }: WriteRun): Traced {
  const command = [process.execPath, '--input-type=module', '-e', script, '--', above, JSON.stringify(options)];
  return strace(command, { ...how, env: { ...process.env, DIRFD_DISABLE: disabled } });
}

export function reset(above: string): void {
  writeFileSync(join(above, 'place/file'), OLD);
}

/** The calls of the thread that wrote, from its first in the file's directory on. */
export function callsOfWriter({ events }: Traced, above: string): readonly SyscallEvent[] {
  const place = `<${join(above, 'place')}>`;
  const writer = events.find(({ call, args }) => call === 'fsync' && args[0]?.includes(join(above, 'place')))?.pid;
  const mine = events.filter(({ pid }) => pid === writer);
  return mine.slice(mine.findIndex(({ args }) => args[0]?.endsWith(place)));
}
