// Everything that faults are injected into. A further operation is one more entry: see test/fault/subject.ts.
import type { Subject } from './subject.js';
import { fileSubjects } from './subjects/files.js';
import { treeSubjects } from './subjects/trees.js';

export const subjects: readonly Subject[] = [...treeSubjects, ...fileSubjects];

export function subjectNamed(name: string): Subject {
  const subject = subjects.find((each) => each.name === name);
  if (subject) return subject;
  throw new Error(`no subject '${name}'; there are ${subjects.map((each) => each.name).join(', ')}`);
}
