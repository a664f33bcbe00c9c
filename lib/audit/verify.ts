/** A trail read from its first file to its last, and each link of the chain tested. */

import { closeAll } from '../dirfd/close-all.js';
import type { DirectoryFd } from '../dirfd/directory-fd.js';
import type { SignalOptions } from '../dirfd/fd.js';
import type { FileFd } from '../dirfd/file-fd.js';
import { holdDirectory } from '../dirfd/hold-directory.js';
import { unless } from '../dirfd/unless.js';
import { ownError } from '../errors.js';
import { type AuditRecord, type ChainEnd, hashLine, linesOf, parseLine, START } from './chain.js';

/** What a verification has found. */
export interface AuditReport {
  /** True where every record follows from the one before. An empty file is a trail that nothing was recorded in yet; bytes without a record are none. */
  readonly intact: boolean;
  readonly records: number;
  /** Names, the oldest first. */
  readonly files: readonly string[];
  /** Sequence number of the first record that is there; more than 1 where old files were taken away. */
  readonly first: number;
  /** To be kept elsewhere: by it, a trail whose end was cut off can be told. */
  readonly last: ChainEnd;
  /** Bytes at the end that a crash has torn; the next open cuts them. They are no sign of tampering. */
  readonly torn: number;
  /** The first record that does not fit. */
  readonly fault?: AuditFault;
}

/** A line of a trail at which something is wrong. */
export interface AuditFault {
  readonly file: string;
  readonly line: number;
  readonly why: string;
}

const BAD_RECORD = 'not a record';
const NO_RECORD = 'not one whole record: no trail, or its first record is torn';

/** What else is to hold. */
export interface VerifyAuditOptions extends SignalOptions {
  /** A hash and sequence number of this trail from an earlier time: the record must still be there. */
  readonly expected?: ChainEnd | undefined;
}

/** The files of a trail in the order in which they were written: NAME.1, NAME.2, … and NAME. */
export async function trailFiles(directory: DirectoryFd, name: string): Promise<string[]> {
  const names = await directory.readdir();
  const numbered = names.flatMap((found) => {
    const number = found.startsWith(`${name}.`) ? found.slice(name.length + 1) : '';
    return /^[1-9]\d{0,14}$/.test(number) ? [Number(number)] : [];
  });
  const rotated = numbered.sort((a, b) => a - b).map((number) => `${name}.${number}`);
  return names.includes(name) ? [...rotated, name] : rotated;
}

/** How records are read. */
export interface ReadAuditOptions extends SignalOptions {
  /** Told where reading has stopped, if not at the end: at a line that is no record, though others follow it or nothing was read before it. */
  readonly onFault?: ((fault: AuditFault) => void) | undefined;
}

/** Every record of a trail, the oldest first. Stops at a line that is none; its links are not tested. */
export async function* readAuditTrail(
  directory: DirectoryFd | string | URL,
  name: string,
  { signal, onFault }: ReadAuditOptions = {},
): AsyncGenerator<AuditRecord, undefined> {
  let isFirst = true;
  let bad: AuditFault | undefined;
  for await (const { file, line, record } of walkTrail(directory, name, { signal })) {
    if (!bad && record) yield record;
    else if (bad || isFirst) return void onFault?.(bad ?? { file, line, why: NO_RECORD });
    // At the very end it is but torn.
    else bad = { file, line, why: BAD_RECORD };
    isFirst = false;
  }
  return undefined;
}

/**
 * Tests the whole chain. Records of other processes that come meanwhile may or may not be counted.
 *
 * @throws FsError ERR_DIRFD_INVALID_PATH where there is no such trail, ENOENT where there is no such directory
 */
export async function verifyAuditTrail(
  directory: DirectoryFd | string | URL,
  name: string,
  options: VerifyAuditOptions = {},
): Promise<AuditReport> {
  const files: string[] = [];
  let end: ChainEnd = START;
  let first = 0;
  let records = 0;
  let isExpectedThere = options.expected === undefined || options.expected.sequence === 0;
  let fault: AuditReport['fault'];
  let bad: { file: string; line: number; bytes: number } | undefined;
  for await (const { file, line, bytes, ended, record } of walkTrail(directory, name, options)) {
    if (files.at(-1) !== file) files.push(file);
    if (fault) continue;
    // A torn line is the last: whatever follows shows that it was whole once.
    if (bad) fault = { file: bad.file, line: bad.line, why: BAD_RECORD };
    bad = undefined;
    if (fault) continue;
    if (record === undefined || !ended) {
      bad = { file, line, bytes: bytes.length + (ended ? 1 : 0) };
      continue;
    }
    const isFirst = records === 0;
    if (isFirst) first = record.sequence;
    const expected = isFirst ? { ...end, sequence: record.sequence - 1 } : end;
    if (record.sequence !== expected.sequence + 1) {
      fault = { file, line, why: `record ${record.sequence} where ${expected.sequence + 1} should be` };
    } else if (record.previous !== expected.hash && !(isFirst && first > 1)) {
      fault = { file, line, why: `record ${record.sequence} does not follow from the one before it` };
    } else {
      records++;
      end = { sequence: record.sequence, hash: hashLine(bytes) };
      if (end.sequence === options.expected?.sequence) isExpectedThere = end.hash === options.expected.hash;
    }
  }
  if (!fault && bad && records === 0) {
    // What a crash has torn is cut by the next writer, but until then nothing tells it from any other file.
    fault = { file: bad.file, line: bad.line, why: NO_RECORD };
  }
  if (!fault && !isExpectedThere) {
    fault = {
      file: files.at(-1) ?? name,
      line: 0,
      why: `record ${options.expected?.sequence} is not the one expected`,
    };
  }
  return { intact: !fault, records, files, first, last: end, torn: bad?.bytes ?? 0, ...(fault ? { fault } : {}) };
}

interface TrailLine {
  readonly file: string;
  readonly line: number;
  readonly bytes: Buffer;
  readonly ended: boolean;
  readonly record: AuditRecord | undefined;
}

async function* walkTrail(
  place: DirectoryFd | string | URL,
  name: string,
  { signal }: SignalOptions,
): AsyncGenerator<TrailLine, undefined> {
  const directory = await holdDirectory(place, { signal });
  let current: FileFd | undefined;
  try {
    const trail = await openTrail(directory, name, { signal });
    current = trail.current;
    for (const file of trail.rotated) {
      await using opened = await directory.openFile(file, { signal });
      yield* linesIn(file, opened, signal);
    }
    if (current) yield* linesIn(name, current, signal);
  } finally {
    await closeAll([current, directory]);
  }
  return undefined;
}

async function* linesIn(
  file: string,
  opened: FileFd,
  signal: AbortSignal | undefined,
): AsyncGenerator<TrailLine, undefined> {
  let line = 0;
  for await (const { bytes, ended } of linesOf(opened)) {
    signal?.throwIfAborted();
    yield { file, line: ++line, bytes, ended, record: ended ? parseLine(bytes) : undefined };
  }
  return undefined;
}

interface OpenTrail {
  readonly rotated: readonly string[];
  /** Held open: a rotation from now on changes its name, and not what has been written before. */
  readonly current: FileFd | undefined;
}

/** The files of one moment: the newest one had its name before the listing and after it. Each further attempt is due to another rotation. */
async function openTrail(directory: DirectoryFd, name: string, { signal }: SignalOptions): Promise<OpenTrail> {
  for (;;) {
    signal?.throwIfAborted();
    const current = await unless('ENOENT', directory.openFile(name, { signal }));
    try {
      const files = await trailFiles(directory, name);
      if (files.length === 0) {
        const subject = { verb: 'verifyAuditTrail', directory: directory.path, path: name };
        throw ownError('ERR_DIRFD_INVALID_PATH', 'there is no such audit trail', subject);
      }
      const here = await current?.stat();
      const named = await unless('ENOENT', directory.stat(name));
      if (here?.ino === named?.ino && here?.dev === named?.dev) {
        return { rotated: files.filter((file) => file !== name), current };
      }
    } catch (error) {
      await current?.close();
      throw error;
    }
    await current?.close();
  }
}
