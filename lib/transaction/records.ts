/**
 * The records of a transaction's log. What is read back is tested for its form before anything is done by it: the directory belongs to this user alone,
 * but a program of another version, or a hand, may have written there.
 */

import { isAbsolute } from 'node:path';
import { isId, STATE_DIRECTORY } from './names.js';
import type { Step } from './steps.js';

/** A root that takes part, as it is found again after a crash. */
export interface RootRecord {
  readonly name: string;
  /** Absolute: where it was when the transaction began. */
  readonly path: string;
  readonly ino: string;
  readonly birth: string;
}

export type JournalRecord =
  | {
      readonly record: 'begin';
      readonly version: 1;
      readonly id: string;
      readonly roots: readonly RootRecord[];
      /** What was replaced is kept after the end, for undo(). */
      readonly keepUndo: boolean;
    }
  | { readonly record: 'step'; readonly step: Step }
  | { readonly record: 'commit'; readonly steps: number; readonly time: string }
  /** All steps are on the disk. `trees`: what each new directory holds by then, by the number of its step. */
  | { readonly record: 'done'; readonly time: string; readonly trees: Readonly<Record<string, string>> }
  /** From here on the steps are taken back; all of them, or those with these numbers. */
  | { readonly record: 'back'; readonly why: 'failed' | 'undo'; readonly steps?: readonly number[] | undefined }
  | { readonly record: 'gone'; readonly time: string };

/** Whether a value has the form of a record. */
export function isRecord(value: unknown): value is JournalRecord {
  const form = isObject(value) ? RECORDS.get(value.record) : undefined;
  return form?.(value) === true;
}

type Test = (value: unknown) => boolean;

const isText: Test = (value) => typeof value === 'string';
const isNumber: Test = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const isFlag: Test = (value) => typeof value === 'boolean';
/** 64 bits, which JSON numbers have not; a time may be before 1970. */
const isDecimal: Test = (value) => typeof value === 'string' && /^-?\d{1,20}$/.test(value);
const isName: Test = (value) => isText(value) && isComponent(value as string);
const isParent: Test = (value) => {
  if (!isText(value)) return false;
  const components = (value as string).split('/');
  return value === '' || (components[0] !== STATE_DIRECTORY && components.every(isComponent));
};

/** One byte a character: see names.ts. */
function isComponent(name: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: NUL ends a name
  return name !== '.' && name !== '..' && /^[\u0001-\u00ff]{1,255}$/.test(name) && !name.includes('/');
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const optional =
  (test: Test): Test =>
  (value) =>
    value === undefined || test(value);
const listOf =
  (test: Test): Test =>
  (value) =>
    Array.isArray(value) && value.every(test);
const oneOf =
  (...values: readonly unknown[]): Test =>
  (value) =>
    values.includes(value);
const form =
  (fields: Readonly<Record<string, Test>>): Test =>
  (value) =>
    isObject(value) && Object.entries(fields).every(([field, test]) => test(value[field]));

const isIdentity = form({
  kind: isText,
  ...{ ino: isDecimal, birth: isDecimal, size: isNumber, mtime: isDecimal, ctime: isDecimal, mode: isNumber },
  ...{ sha256: optional(isText), tree: optional(isText) },
});
const place = { root: isNumber, parent: isParent, within: isText, name: isName };

const STEPS = new Map<unknown, Test>([
  ['detach', form({ ...place, slot: isNumber, old: isIdentity, moved: isFlag })],
  ['attach', form({ ...place, slot: isNumber, new: isIdentity, moved: isFlag })],
  ['exchange', form({ ...place, slot: isNumber, old: isIdentity, new: isIdentity, moved: isFlag })],
  ['chmod', form({ ...place, of: isIdentity, from: isNumber, to: isNumber })],
]);
const isStep: Test = (value) => isObject(value) && STEPS.get(value.do)?.(value) === true;
const isTransactionId: Test = (value) => isText(value) && isId(value as string);
const isPath: Test = (value) => isText(value) && isAbsolute(value as string);
const isRoot = form({ name: isText, path: isPath, ino: isDecimal, birth: isDecimal });
const isTrees: Test = (value) => isObject(value) && Object.values(value).every(isText);

const RECORDS = new Map<unknown, Test>([
  ['begin', form({ version: oneOf(1), id: isTransactionId, roots: listOf(isRoot), keepUndo: isFlag })],
  ['step', form({ step: isStep })],
  ['commit', form({ steps: isNumber, time: isText })],
  ['done', form({ time: isText, trees: isTrees })],
  ['back', form({ why: oneOf('failed', 'undo'), steps: optional(listOf(isNumber)) })],
  ['gone', form({ time: isText })],
]);
