// What a run with a fault in it came to. The first group is as it should be, each of the others is a defect.
import type { Answer, Verdict } from './subject.js';

export const GOOD = {
  identical: 'done all the same: a fallback, a retry, or a call that did not matter',
  told: 'not done, and said so, by name',
  recovered: 'killed, and the next run did all of it',
  believed: 'what a system call told of a change that others might have made was taken for true',
  absent: 'threads took turns differently, and there was no such call this time',
} as const;

export const DEFECTS = {
  silent: 'claims to have done all, and has not',
  unnamed: 'something is amiss that no error names',
  unstructured: 'failed with an error that lacks code, syscall, directory or name',
  lookalike: 'a file has the size and time of its source, but not its content',
  leak: 'a descriptor is left open',
  hung: 'did not end',
  crashed: 'the process died',
  unrecovered: 'killed or failed, and the next run did not do all of it',
  halfway: 'failed, and left what is neither old nor new',
  unsynced: 'claims to last, and a sync has failed',
  missed: 'the fault was not injected',
} as const;

export type Good = keyof typeof GOOD;
export type Defect = keyof typeof DEFECTS;

export interface Outcome {
  readonly is: Good | Defect;
  readonly details: readonly string[];
}

export function isDefect(outcome: Outcome): boolean {
  return outcome.is in DEFECTS;
}

/** Of a run that answered. */
export function classify(answer: Answer, { differences, lookalikes }: Verdict): Outcome {
  const lines = differences.map(({ line }) => line);
  const told = answer.told.map(({ path, message }) => `told '${path}': ${message}`);
  const rejected = answer.rejected ? [`rejected: ${answer.rejected.message}`] : [];
  const all = [...rejected, ...told, ...lines];
  if (lookalikes.length > 0) return { is: 'lookalike', details: all };
  if (answer.complete)
    return differences.length === 0 ? { is: 'identical', details: [] } : { is: 'silent', details: lines };
  if (answer.rejected) return { is: answer.rejected.structured ? 'told' : 'unstructured', details: all };
  if (!answer.told.every(({ message }) => isWhole(message))) return { is: 'unstructured', details: all };
  const unnamed = differences.filter(({ path }) => !answer.told.some((one) => concerns(one.path, path)));
  return unnamed.length === 0 ? { is: 'told', details: all } : { is: 'unnamed', details: all };
}

/** `CODE: why, syscall 'name' in 'directory'`. */
function isWhole(message: string): boolean {
  return /^E[A-Z0-9_]+: .+, \w+ '.+' (->.* )?in '/s.test(message);
}

/** An entry that failed explains itself, what lies below it, and the directories above it, whose times it changes. */
function concerns(told: string, path: string): boolean {
  return told === path || told === '' || path.startsWith(`${told}/`) || path === '' || told.startsWith(`${path}/`);
}
