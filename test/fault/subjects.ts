// Everything that faults are injected into. A further operation is one more entry: see test/fault/subject.ts.
import type { Subject } from './subject.js';
import { backupSubjects } from './subjects/backups.js';
import { durableSubjects } from './subjects/durable.js';
import { fileSubjects } from './subjects/files.js';
import { lockSubjects } from './subjects/locks.js';
import { transactionSubjects } from './subjects/transactions.js';
import { treeSubjects } from './subjects/trees.js';

export const subjects: readonly Subject[] = [
  ...treeSubjects,
  ...fileSubjects,
  ...durableSubjects,
  ...transactionSubjects,
  ...backupSubjects,
  ...lockSubjects,
];

export function subjectNamed(name: string): Subject {
  const subject = subjects.find((each) => each.name === name);
  if (subject) return subject;
  throw new Error(`no subject '${name}'; there are ${subjects.map((each) => each.name).join(', ')}`);
}
