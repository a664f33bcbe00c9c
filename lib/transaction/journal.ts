/**
 * The intent log of a transaction, one file `log` in its directory. A record is a line, `CHECKSUM JSON\n`; each checksum covers the one
 * before it, so that a record which was torn, or which never reached the disk, ends what is believed.
 *
 *   (empty) ── begin, step…, commit ──▶ committed ── done ──▶ done ── back ──▶ going back ── gone ──▶ undone
 *                                           │                                    ▲
 *                                           └────────────────── back ────────────┘
 *
 * The commit record is the commit point: before it reaches the disk nothing outside of the transaction's directory is changed. The log is
 * locked exclusively as long as its process lives; the kernel lets go of the lock when the process dies.
 */

import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import type { DirectoryFd } from '../dirfd/directory-fd.js';
import type { FileFd } from '../dirfd/file-fd.js';
import { operationError, StateError } from '../operation-errors.js';
import { isRecord, type JournalRecord, type RootRecord } from './records.js';
import type { Step } from './steps.js';

/** What a log says, its torn end left out. */
export interface Story {
  readonly id: string;
  readonly roots: readonly RootRecord[];
  readonly keepUndo: boolean;
  readonly steps: readonly Step[];
  readonly state: 'staged' | 'committed' | 'done' | 'going-back' | 'undone';
  /** ISO 8601, of the commit; empty before. */
  readonly time: string;
  /** Of the steps that are in force, or going back; `steps[n]` of which `inForce` has n. */
  readonly inForce: ReadonlySet<number>;
  readonly goingBack: ReadonlySet<number>;
  readonly trees: ReadonlyMap<number, string>;
  /** Of a log that has steps, or what is left of them, and no commit record that is believed. */
  readonly torn?: Torn | undefined;
}

/** What its lines say, though checksums be wrong. Evidence, and no more: nothing is done by it. */
export interface Torn {
  readonly steps: readonly Step[];
  /** There is a commit record, or a later one, so the log was whole once: no crash during the commit has torn it. */
  readonly wasWhole: boolean;
}

/** Whether it is over, and kept for undo: no recovery removes it. */
export function isKept({ state, keepUndo }: { readonly state: string; readonly keepUndo: boolean }): boolean {
  return state === 'done' && keepUndo;
}

export const LOG = 'log';

/** Records that are to be written in one go. */
const CHUNK = 256 * 1024;

/** Milliseconds for which others may read a log that is not locked yet. */
const PATIENCE = 10_000;

export class Journal implements AsyncDisposable {
  readonly #file: FileFd;
  #end: number;
  #checksum: string;

  private constructor(file: FileFd, end: number, checksum: string) {
    this.#file = file;
    this.#end = end;
    this.#checksum = checksum;
  }

  /** An empty log, locked. */
  static async create(work: DirectoryFd): Promise<Journal> {
    const file = await work.openFile(LOG, { flags: 'wx+', mode: 0o600 });
    try {
      // read() holds it for a moment, to see whether somebody else does.
      await file.lock({ timeout: PATIENCE });
      return new Journal(file, 0, '');
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** The log of a transaction whose process is gone, locked, and its story. */
  static async resume(work: DirectoryFd): Promise<{ journal: Journal; story: Story } | 'active'> {
    const file = await work.openFile(LOG, { flags: constants.O_RDWR });
    try {
      if (!(await file.tryLock())) {
        if (!(await file.tryLock({ shared: true }))) {
          await file.close();
          return 'active';
        }
        // Only read() is in the way, and only for a moment.
        await file.lock({ timeout: PATIENCE });
      }
      const { story, end, checksum } = await told(file);
      return { journal: new Journal(file, end, checksum), story };
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** What the log says by now, its process living or not. */
  static async read(work: DirectoryFd): Promise<{ story: Story; active: boolean }> {
    await using file = await work.openFile(LOG);
    const active = !(await file.tryLock({ shared: true }));
    return { story: (await told(file)).story, active };
  }

  /** Resolves when the records are on the disk. */
  async append(records: Iterable<JournalRecord>): Promise<void> {
    // What a crash has torn would stand between.
    await this.#file.truncate(this.#end);
    let text = '';
    let end = this.#end;
    let checksum = this.#checksum;
    const flush = async () => {
      const bytes = Buffer.from(text);
      for (let at = 0; at < bytes.length; ) {
        const { bytesWritten } = await this.#file.write(bytes.subarray(at), { position: end + at });
        at += bytesWritten;
      }
      end += bytes.length;
      text = '';
    };
    for (const record of records) {
      const json = JSON.stringify(record);
      checksum = checksumOf(checksum, json);
      text += `${checksum} ${json}\n`;
      if (text.length >= CHUNK) await flush();
    }
    await flush();
    // The new size is metadata that reading needs, so fdatasync(2) brings it too.
    await this.#file.datasync();
    [this.#end, this.#checksum] = [end, checksum];
  }

  /** Takes back what an append that failed may have written. */
  async forget(): Promise<void> {
    await this.#file.truncate(this.#end);
    await this.#file.datasync();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }
}

async function told(file: FileFd): Promise<{ story: Story; end: number; checksum: string }> {
  const { size } = await file.stat();
  const bytes = Buffer.allocUnsafe(size);
  let length = 0;
  while (length < size) {
    const { bytesRead } = await file.read(bytes, { offset: length, position: length });
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  const records: JournalRecord[] = [];
  let [end, checksum] = [0, ''];
  for (let start = 0; start < length; ) {
    const newline = bytes.indexOf(0x0a, start);
    if (newline < 0 || newline >= length) break;
    const line = bytes.toString('utf8', start, newline);
    const json = line.slice(CHECKSUM_LENGTH + 1);
    const expected = checksumOf(checksum, json);
    if (line.slice(0, CHECKSUM_LENGTH) !== expected) break;
    const record = parsed(json);
    if (record === undefined) throw foreign(file);
    records.push(record);
    start = newline + 1;
    [end, checksum] = [start, expected];
  }
  const story = storyOf(records);
  if (!isConsistent(story, records)) throw foreign(file);
  if (story.state !== 'staged') return { story, end, checksum };
  // Steps without their commit record are as good as none.
  const isTorn = end < length || story.steps.length > 0;
  const torn = isTorn ? tornEnd(story.steps, bytes.toString('utf8', end, length)) : undefined;
  return { story: { ...story, torn }, end: 0, checksum: '' };
}

function parsed(json: string): JournalRecord | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Its checksums are right, so no accident has made it what it is. */
function foreign(file: FileFd): StateError {
  const why = 'not a log that this version of dirfd can read; nothing was done by it';
  return operationError(StateError, 'ERR_DIRFD_RECOVERY', why, { verb: 'recover', path: file.path });
}

function isConsistent({ state, steps, roots, trees }: Story, records: readonly JournalRecord[]): boolean {
  if (state === 'staged') return true;
  const isStep = (number: number) => number < steps.length;
  return (
    steps.every(({ root }) => root < roots.length) &&
    [...trees.keys()].every(isStep) &&
    records.every(
      (each) =>
        (each.record !== 'commit' || each.steps === steps.length) &&
        (each.record !== 'back' || (each.steps ?? []).every(isStep)),
    )
  );
}

function tornEnd(believed: readonly Step[], text: string): Torn {
  const records = text.split('\n').flatMap((line) => parsed(line.slice(CHECKSUM_LENGTH + 1)) ?? []);
  const steps = records.flatMap((each) => (each.record === 'step' ? each.step : []));
  const wasWhole = records.some(({ record }) => record !== 'begin' && record !== 'step');
  return { steps: [...believed, ...steps], wasWhole };
}

/** What records say, in their order. */
export function storyOf(records: readonly JournalRecord[]): Story {
  let begin: Extract<JournalRecord, { record: 'begin' }> | undefined;
  const steps: Step[] = [];
  let [state, time]: [Story['state'], string] = ['staged', ''];
  let inForce = new Set<number>();
  let goingBack = new Set<number>();
  const trees = new Map<number, string>();
  for (const record of records) {
    if (record.record === 'begin') begin = record;
    else if (record.record === 'step') steps.push(record.step);
    else if (record.record === 'commit') {
      [state, time] = ['committed', record.time];
      inForce = new Set(steps.keys());
    } else if (record.record === 'done') {
      state = 'done';
      for (const [step, tree] of Object.entries(record.trees)) trees.set(Number(step), tree);
    } else if (record.record === 'back') {
      state = 'going-back';
      goingBack = new Set(record.steps ?? inForce);
    } else {
      inForce = new Set([...inForce].filter((step) => !goingBack.has(step)));
      goingBack = new Set();
      state = inForce.size > 0 ? 'done' : 'undone';
    }
  }
  const { id = '', roots = [], keepUndo = false } = begin ?? {};
  return { id, roots, keepUndo, steps, state, time, inForce, goingBack, trees };
}

/** Hexadecimal digits of SHA-256: enough against accidents, which is all that they are for. */
const CHECKSUM_LENGTH = 24;

function checksumOf(before: string, json: string): string {
  return createHash('sha256').update(before).update(json).digest('hex').slice(0, CHECKSUM_LENGTH);
}
