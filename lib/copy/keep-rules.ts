/** Rules for what a copy has in the place of its source's owner and mode, checked, and packed for native code. */

import { type ErrorSubject, ownError } from '../errors.js';
import { parseModeRules } from './chmod.js';

/**
 * From ids in the source to ids in the copy. A key is an id (`1000`), a range (`'100000-165535'`) or `'*'`, any that no other key names: single ids
 * count before ranges, and both before `'*'`. What no key names stays as it is.
 */
export type IdMap = Readonly<Record<number | string, number>>;

export interface OwnerMap {
  /** User ids, also those that ACLs name. */
  readonly users?: IdMap | undefined;
  /** Group ids, the same. */
  readonly groups?: IdMap | undefined;
}

export interface KeepRuleOptions {
  /**
   * Other owners than the source's: numbers, for names mean something else on every machine. A single id says that somebody goes by another
   * number in the copy. A range or `'*'` gives what belongs to many to one, and as chown(2) it takes set-user-id and set-group-id bits away where the
   * id changes. Default: none.
   */
  readonly ownerMap?: OwnerMap | undefined;
  /**
   * Other modes than the source's, as `rsync --chmod` has them: `'D2775,F664'`, `'go-w,+X'`. Symlinks have none. Where ACLs are kept, theirs follow, as
   * chmod(2) has it. Default: none.
   */
  readonly chmod?: string | undefined;
}

/** For native/binding/copy_values.cpp: three 32-bit numbers a rule. */
export interface PackedRules {
  readonly users: Uint8Array;
  readonly groups: Uint8Array;
  readonly modes: Uint8Array;
}

/** (uid_t)-1 is nobody's: chown(2) takes it for "as it is". */
const LARGEST_ID = 0xffff_fffe;

/** @throws FsError ERR_DIRFD_INVALID_ARGUMENT */
export function packRules({ ownerMap, chmod }: KeepRuleOptions, owner: boolean, subject: ErrorSubject): PackedRules {
  if (ownerMap && !owner) {
    throw ownError('ERR_DIRFD_INVALID_ARGUMENT', 'ownerMap has no meaning without owner', subject);
  }
  const modes = chmod === undefined ? [] : parseModeRules(chmod, subject);
  return {
    users: packed(idRules(ownerMap?.users, 'users', subject)),
    groups: packed(idRules(ownerMap?.groups, 'groups', subject)),
    modes: packed(modes.map(({ keep, add, scope }) => [keep, add, scope])),
  };
}

type Rule = readonly [first: number, last: number, to: number];

/** Keys of an object that are whole numbers come first, whatever the order they were written in. */
function idRules(map: IdMap | undefined, what: string, subject: ErrorSubject): readonly Rule[] {
  const rules = Object.entries(map ?? {}).map(([key, to]): Rule => {
    const range = idRange(key);
    if (range && isId(to)) return [...range, to];
    const why = `ownerMap.${what}: '${key}' to ${String(to)}: ids are whole numbers up to ${LARGEST_ID}`;
    throw ownError('ERR_DIRFD_INVALID_ARGUMENT', why, subject);
  });
  const width = ([first, last]: Rule): number => (first === last ? 0 : first === 0 && last === LARGEST_ID ? 2 : 1);
  return rules.sort((a, b) => width(a) - width(b));
}

function idRange(key: string): readonly [number, number] | undefined {
  if (key === '*') return [0, LARGEST_ID];
  const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(key) ?? [];
  const range = [Number(first), Number(last)] as const;
  return first !== undefined && range.every(isId) && range[0] <= range[1] ? range : undefined;
}

function isId(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= LARGEST_ID;
}

function packed(rules: readonly Rule[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(rules.flat()).buffer);
}
