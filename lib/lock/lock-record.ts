/**
 * What stands in a lock file, for people: who took the lock last, exclusively. The lock itself is the kernel's and is gone with its
 * process; a record of a dead process therefore says nothing, and nothing here ever decides by one.
 */

import { hostname } from 'node:os';
import { DirectoryFd } from '../dirfd/directory-fd.js';
import type { FileFd } from '../dirfd/file-fd.js';

/** Who holds a lock. The kernel tells that it is held, and how; the rest is what the holder wrote, absent for shared locks. */
export interface LockHolder {
  readonly shared: boolean;
  readonly pid?: number;
  readonly host?: string;
  /** Of the running kernel: /proc/sys/kernel/random/boot_id. */
  readonly bootId?: string;
  /** When the process began, in clock ticks after boot (field 22 of proc_pid_stat(5)): tells it from a later one of the same pid. */
  readonly processStart?: string;
  readonly owner?: string;
  /** ISO 8601. */
  readonly since?: string;
}

const MAGIC = '{"dirfd":"lock",';
/** Bytes; always the same number, so that a shorter record leaves nothing of a longer one. */
const LENGTH = 512;

let process_: string | undefined;

/** True where the file is empty or holds a record: any other content belongs to somebody, and is not written over. */
export function mayHoldRecord(file: FileFd): boolean {
  const start = Buffer.alloc(MAGIC.length);
  const length = file.readSync(start, { position: 0 });
  return length === 0 || start.toString('latin1') === MAGIC;
}

/** @param owner undefined where the lock was asked for without a name */
export function writeRecord(file: FileFd, owner: string | undefined): void {
  process_ ??= describeProcess();
  const named = owner === undefined ? '' : `,"owner":${JSON.stringify(owner.slice(0, 40))}`;
  const text = `${MAGIC}${process_}"since":"${new Date().toISOString()}"${named}}`;
  const record = Buffer.alloc(LENGTH, ' ');
  record.write(text);
  record.write('\n', LENGTH - 1);
  try {
    file.writeSync(record, { position: 0 });
  } catch {
    // A full disk: the lock is held all the same.
  }
}

export function readRecord(file: FileFd): Omit<LockHolder, 'shared'> | undefined {
  const bytes = Buffer.alloc(LENGTH);
  const length = file.readSync(bytes, { position: 0 });
  try {
    const { dirfd, ...record } = JSON.parse(bytes.toString('utf8', 0, length));
    return dirfd === 'lock' ? record : undefined;
  } catch {
    return undefined;
  }
}

/** A holder for people: `held by pid 12 ('worker') on host since 2030-01-02T03:04:05.678Z`; of a shared lock, `held shared`. */
export function describeHolder({ shared, pid, host, owner, since }: LockHolder): string {
  if (shared) return 'held shared';
  if (pid === undefined) return 'held';
  const named = owner === undefined ? '' : ` ('${owner}')`;
  return `held by pid ${pid}${named} on ${host} since ${since}`;
}

function describeProcess(): string {
  return `${JSON.stringify(thisProcess()).slice(1, -1)},`;
}

/** Which process somebody was: no later one has the same four. */
export interface ProcessFacts {
  readonly pid: number;
  readonly host: string;
  readonly bootId: string;
  /** See {@link LockHolder.processStart}. */
  readonly processStart?: string | undefined;
}

export function thisProcess(): ProcessFacts {
  return {
    pid: process.pid,
    host: hostname().slice(0, 64),
    bootId: procText('sys/kernel/random/boot_id').trim(),
    processStart: startOf('self'),
  };
}

/** Whether that process still runs here; true of one on another host, of which nobody here knows. */
export function isRunning({ pid, host, bootId, processStart }: ProcessFacts): boolean {
  const here = thisProcess();
  if (host !== here.host) return true;
  return bootId === here.bootId && startOf(String(pid)) === processStart;
}

function startOf(pid: string): string | undefined {
  // The second field is the command's name in parentheses, and may hold anything.
  const fields = procText(`${pid}/stat`)
    .replace(/^.*\) /s, '')
    .split(' ');
  // Dead, and not yet waited for.
  return /^[ZX]/.test(fields[0] as string) ? undefined : fields[19];
}

/** Empty where /proc is not there. */
function procText(path: string): string {
  let proc: DirectoryFd | undefined;
  let file: FileFd | undefined;
  try {
    // /proc/self is a link.
    proc = DirectoryFd.openSync('/proc', { resolution: 'beneath' });
    file = proc.openFileSync(path);
    const bytes = Buffer.alloc(4096);
    return bytes.toString('utf8', 0, file.readSync(bytes));
  } catch {
    return '';
  } finally {
    file?.closeSync();
    proc?.closeSync();
  }
}
