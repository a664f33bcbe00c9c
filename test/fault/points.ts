// From the calls of a run without faults to the points at which one can be put: thread, call and how manieth.
import type { SyscallEvent } from '../fixtures/strace.js';
import { KERNELS_LOCKS } from './judges.js';

export interface Point {
  /** The n-th thread of the process; undefined: whichever makes that many calls. */
  readonly thread: number | undefined;
  readonly call: string;
  readonly nth: number;
  /** What the call was about, for people. */
  readonly about: string;
}

/** The points of a run in which each thread of `threads` is known; of others, only that they are. */
export function pointsOf(events: readonly SyscallEvent[], threads: readonly number[], ownThreads: boolean): Point[] {
  const counts = new Map<string, number>();
  const points = new Map<string, Point>();
  for (const event of events) {
    const counted = `${event.pid} ${event.call}`;
    const nth = (counts.get(counted) ?? 0) + 1;
    counts.set(counted, nth);
    if (!isAboutFiles(event)) continue;
    const thread = ownThreads ? undefined : threads.indexOf(event.pid);
    const key = `${thread} ${event.call} ${nth}`;
    if (thread !== -1 && !points.has(key)) points.set(key, { thread, call: event.call, nth, about: aboutOf(event) });
  }
  return [...points.values()];
}

/** Not how Node's event loop, dirfd's threads and this harness wake and hear each other, nor memory; nor where a subject asks who holds a lock. */
export function isAboutFiles({ call, args }: SyscallEvent): boolean {
  // dirfd stats nothing by an absolute path: this is node:fs, in the subject.
  if (call === 'statx' && args[1]?.startsWith('"/')) return false;
  if (call === 'fcntl' && !/^F_(OFD_|SETFL$)/.test(args[1] ?? '')) return false;
  if (call.startsWith('io_uring_')) return true;
  return (
    !/^(epoll_|eventfd|pipe|p?poll|mmap|munmap|pselect)/.test(call) &&
    !/<(anon_inode:|pipe:|socket:|UNIX)/.test(args[0] ?? '') &&
    !args.some((argument) => argument.includes(KERNELS_LOCKS))
  );
}

function aboutOf({ args }: SyscallEvent): string {
  const place = args.find((argument) => argument.includes('<')) ?? '';
  const name = args.find((argument) => argument.startsWith('"')) ?? '';
  return [/<(.*)>/.exec(place)?.[1] ?? '', name].filter(Boolean).join(' ');
}
