/**
 * The lines of a trail. Each is JSON and names its place and the line before it:
 *
 *   {"sequence":7,"previous":"<SHA-256 of line 6, without its newline>","operation":"write",…}
 *
 * A line that is changed, taken out or put in breaks the link of the one after it. What nobody can see is that the end was cut off: for
 * that, keep the last hash elsewhere.
 */

import { createHash } from 'node:crypto';
import type { FileFd } from '../dirfd/file-fd.js';
import type { AuditEntry } from './observe.js';

/** A record as it stands in the trail. */
export interface AuditRecord extends AuditEntry {
  /** From 1 on, without gaps. */
  readonly sequence: number;
  /** SHA-256 of the line before, in hexadecimal; zeros for the first. */
  readonly previous: string;
}

/** Where the chain has got to. */
export interface ChainEnd {
  readonly sequence: number;
  readonly hash: string;
}

export const START: ChainEnd = { sequence: 0, hash: '0'.repeat(64) };

const NEWLINE = 10;
const CHUNK = 256 * 1024;

export function hashLine(line: Uint8Array): string {
  return createHash('sha256').update(line).digest('hex');
}

/** What a record says, without its place. @throws TypeError for what is no JSON */
export function entryText(entry: AuditEntry): string {
  const { sequence: _sequence, previous: _previous, ...rest } = entry as AuditRecord;
  return JSON.stringify(rest);
}

/** The next line, newline included, and the end of the chain with it. @param text by {@link entryText} */
export function chainEntry(text: string, { sequence, hash }: ChainEnd): { line: Buffer; end: ChainEnd } {
  const place = `{"sequence":${sequence + 1},"previous":"${hash}"`;
  const line = Buffer.from(`${place}${text === '{}' ? '}' : `,${text.slice(1)}`}\n`);
  return { line, end: { sequence: sequence + 1, hash: hashLine(line.subarray(0, -1)) } };
}

/** Whether a line that {@link chainEntry} makes may begin with that; however short it is. */
export function mayBeginRecord(text: string): boolean {
  const head = '{"sequence":N,"previous":"';
  return head.startsWith(text.slice(0, 64).replace(/\d+/, 'N').slice(0, head.length));
}

/** Undefined where the line is no record: what a crash has torn, or somebody has changed. */
export function parseLine(line: Buffer): AuditRecord | undefined {
  try {
    const record = JSON.parse(line.toString('utf8'));
    return Number.isSafeInteger(record.sequence) && typeof record.previous === 'string' ? record : undefined;
  } catch {
    return undefined;
  }
}

/** One line, without its newline; `ended` is false for bytes after the last one. */
export interface Line {
  readonly bytes: Buffer;
  readonly start: number;
  readonly ended: boolean;
}

/** The lines of a file from its beginning. */
export async function* linesOf(file: FileFd): AsyncGenerator<Line, undefined> {
  let rest: Buffer = Buffer.alloc(0);
  for (let position = 0; ; ) {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(CHUNK), { position });
    if (bytesRead === 0) break;
    let start = position - rest.length;
    position += bytesRead;
    rest = Buffer.concat([rest, buffer.subarray(0, bytesRead)]);
    for (let end = rest.indexOf(NEWLINE); end >= 0; end = rest.indexOf(NEWLINE)) {
      yield { bytes: rest.subarray(0, end), start, ended: true };
      rest = rest.subarray(end + 1);
      start += end + 1;
    }
  }
  if (rest.length > 0) yield { bytes: rest, start: -1, ended: false };
  return undefined;
}

/** What stands at the end of a file: its last whole record, and how many bytes of it are to be kept. */
export interface Tail {
  readonly end: ChainEnd | undefined;
  readonly length: number;
}

/**
 * Reads backwards from the end. A last line that is no record was torn by a crash and does not count; nor do bytes after the last newline.
 * Only the last line: one that is followed by others was whole once.
 */
export async function readTail(file: FileFd, size: number): Promise<Tail> {
  for (let wanted = 4096; ; wanted *= 4) {
    const from = Math.max(size - wanted, 0);
    const bytes = Buffer.alloc(size - from);
    for (let have = 0; have < bytes.length; ) {
      const { bytesRead } = await file.read(bytes, { offset: have, position: from + have });
      if (bytesRead === 0) break;
      have += bytesRead;
    }
    const last = bytes.lastIndexOf(NEWLINE);
    const before = last <= 0 ? -1 : bytes.lastIndexOf(NEWLINE, last - 1);
    // With a newline before it, or the file's beginning, the line is here as a whole; so is the one before, if this one is torn.
    const earlier = before <= 0 ? -1 : bytes.lastIndexOf(NEWLINE, before - 1);
    if (from > 0 && earlier < 0) continue;
    for (const [start, end] of [
      [before, last],
      [earlier, before],
    ] as const) {
      if (end < 0) break;
      const line = bytes.subarray(start + 1, end);
      const record = parseLine(line);
      if (record) return { end: { sequence: record.sequence, hash: hashLine(line) }, length: from + end + 1 };
    }
    return { end: undefined, length: 0 };
  }
}
