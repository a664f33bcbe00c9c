// Files that are replaced whole, a file that is updated, a trail that is appended to.
import { createHash } from 'node:crypto';
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type AtomicWriteOptions, AtomicWriter, updateJson, writeBytes } from 'dirfd/atomic';
import { type AuditEntry, type AuditRecord, AuditTrail } from 'dirfd/audit';
import { attempt, run } from '../../fixtures/command.js';
import { findTool } from '../../fixtures/tools.js';
import { everyByte } from '../../fixtures/trees/plain.js';
import { holds } from '../judges.js';
import { type Answer, amiss, complete, type Subject, type Verdict } from '../subject.js';

const before = Buffer.from('what was there before\n');
/** What a writer leaves that is killed, or cannot clean up; the next one does. */
const isDraft = (name: string): boolean => /^\.dirfd-write-[0-9a-f]{32}$/.test(name);

function makeFile(path: string): void {
  writeFileSync(path, before);
  chmodSync(path, 0o640);
  if (findTool('setfattr')) run('setfattr', ['-n', 'user.text', '-v', 'a value', path]);
}

/** Mode and attributes of the file that was there. */
function keepsMetadata(path: string): Verdict {
  const mode = run('stat', ['-c', '%a', path]).trim();
  const value = attempt('getfattr', ['--only-values', '-n', 'user.text', path]).stdout;
  const kept = mode === '640' && (!findTool('setfattr') || value === 'a value');
  return kept ? amiss([]) : amiss([`mode ${mode}, attribute '${value}'`]);
}

const both = (a: Verdict, b: Verdict): Verdict => ({ ...a, differences: [...a.differences, ...b.differences] });

type Write = (path: string, content: Buffer, how: AtomicWriteOptions) => Promise<unknown>;

/** Piece by piece. */
const written: Write = async (path, content, how) => {
  await using writer = new AtomicWriter(path, how);
  const half = content.length >> 1;
  await writer.writeBytes(content.subarray(0, half));
  await writer.writeBytes(content.subarray(half));
  await writer.commit();
};

function replacement(name: string, content: Buffer, how: AtomicWriteOptions, write: Write = written): Subject {
  const old = how.backup === undefined ? {} : { old: [before] };
  /** Old or new; where there is to be a backup, that first. */
  const judgeWhole = (work: string): Verdict => {
    const names = readdirSync(work);
    const isNew = readFileSync(`${work}/file`).equals(content);
    const left = names.filter((each) => isDraft(each) || (!isNew && each === 'old'));
    const others = Object.fromEntries(left.filter((each) => each !== 'old').map((each) => [each, undefined]));
    const backup = isNew || names.includes('old') ? old : {};
    return both(holds(work, { file: [before, content], ...backup, ...others }), keepsMetadata(`${work}/file`));
  };
  return {
    name,
    writes: true,
    durable: how.durability !== 'none',
    makeWork: (work) => makeFile(`${work}/file`),
    run: async (work) => {
      await write(`${work}/file`, content, how);
      return complete;
    },
    // What was left is then the old file, and may be the new one already.
    again: async (work) => {
      makeFile(`${work}/file`);
      await write(`${work}/file`, content, how);
      return complete;
    },
    judge: (work) => both(holds(work, { file: [content], ...old }), keepsMetadata(`${work}/file`)),
    judgeKilled: judgeWhole,
    judgeFailed: (work, _fixed, answer) => oldOrUnsure(answer, `${work}/file`, before, judgeWhole(work)),
  };
}

/** Only a DurabilityError may speak of a file that is new. */
function oldOrUnsure({ rejected }: Answer, path: string, old: Buffer, verdict: Verdict): Verdict {
  if (rejected?.name === 'DurabilityError' || readFileSync(path).equals(old)) return verdict;
  return amiss([`${rejected?.name}, and yet the file is new`]);
}

const uncounted = Buffer.from('{"count": 1}\n');

const counted = (work: string): Verdict => {
  const text = readFileSync(`${work}/file.json`, 'utf8');
  return amiss(/^\{\s*"count": (1|2)\s*\}\n$/.test(text) ? [] : [`neither old nor new: ${text}`]);
};

interface Count {
  readonly count: number;
}

const entry = (path: string): AuditEntry => {
  const facts = { id: path, operation: 'write', directory: '/', path };
  return { ...facts, time: new Date().toISOString(), outcome: 'done', duration: 0 };
};

/** The paths of the trail's records, each of which has to have the SHA-256 of the one before. */
function chained(work: string, expected: RegExp): Verdict {
  const text = readFileSync(`${work}/trail`, 'utf8');
  const lines = text.split('\n');
  const torn = lines.pop();
  const records = lines.map((line) => JSON.parse(line) as AuditRecord);
  const previous = ['0'.repeat(64), ...lines.map((line) => createHash('sha256').update(line).digest('hex'))];
  const paths = records.map(({ path }) => path).join(' ');
  const broken = records.filter((record, index) => record.previous !== previous[index]);
  const fits = torn === '' && broken.length === 0 && expected.test(paths);
  return amiss(fits ? [] : [`records ${paths}, ${broken.length} links broken, ${torn?.length} bytes of another`]);
}

async function record(work: string, path: string): Promise<Answer> {
  await using trail = await AuditTrail.open(work, 'trail');
  await trail.record(entry(path));
  return complete;
}

export const durableSubjects: readonly Subject[] = [
  // More than is held in memory: a draft on the disk from the first piece on.
  replacement('atomic-full', everyByte(1_200_000), { durability: 'full', verify: true }),
  replacement('atomic-data', everyByte(5000), { durability: 'data' }),
  replacement('atomic-none', everyByte(5000), { durability: 'none' }),
  replacement('atomic-at-once', everyByte(5000), { durability: 'full' }, writeBytes),
  replacement('atomic-backup', everyByte(5000), { durability: 'full', backup: 'old' }),
  {
    name: 'update-json',
    writes: true,
    // How old the file is decides whether its content is compared with what was read.
    unsteady: true,
    durable: true,
    makeWork: (work) => writeFileSync(`${work}/file.json`, uncounted),
    run: async (work) => {
      await updateJson<Count>(`${work}/file.json`, () => ({ count: 2 }));
      return complete;
    },
    judge: (work) => holds(work, { 'file.json': [Buffer.from('{\n  "count": 2\n}\n')] }),
    judgeKilled: counted,
    judgeFailed: (work, _fixed, answer) => oldOrUnsure(answer, `${work}/file.json`, uncounted, counted(work)),
  },
  {
    name: 'audit',
    writes: true,
    durable: true,
    makeWork: async (work) => {
      await record(work, 'first');
    },
    run: (work) => record(work, 'second'),
    again: (work) => record(work, 'third'),
    judge: (work) => chained(work, /^first (second|third|second third)$/),
    judgeFailed: (work, _fixed, { rejected }) => {
      const text = readFileSync(`${work}/trail`, 'utf8');
      const isRefused = rejected?.message.includes('not recorded') && text.includes('"path":"second"');
      return amiss([
        ...(text.includes('"path":"first"') ? [] : ['the first record is gone']),
        ...(isRefused ? ['it is recorded, and is said not to be'] : []),
      ]);
    },
  },
];
