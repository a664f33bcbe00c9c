/**
 * Rules for modes in the notation of `rsync --chmod`, which is chmod(1)'s with two additions: `D` before a rule limits it to directories, `F` to
 * all else.
 *
 *   rules = rule{,rule}    rule = [D|F] ( octal | [ugoa]* (+|-|=) [rwxXst]* )
 *
 * `X` is execute for directories, and for what somebody may execute already; beside it, `x` is no more. Without `u`, `g`, `o` or `a`, the umask says for whom.
 */

import { type ErrorSubject, ownError } from '../errors.js';

/** `mode = (mode & keep) | add`, for what `scope` says; ModeRule in native/ops/keep_rules.h. */
export interface ModeRule {
  readonly keep: number;
  readonly add: number;
  readonly scope: number;
}

/** Bits of ModeRule::scope. */
const SCOPE = { directories: 1, files: 2, whereExecutable: 4 } as const;

const ALL = 0o7777;
const WHO: Readonly<Record<string, number>> = { u: 0o100, g: 0o010, o: 0o001, a: 0o111 };
const SPECIAL_OF: Readonly<Record<string, number>> = { u: 0o4000, g: 0o2000, o: 0, a: 0o6000 };
const WHAT: Readonly<Record<string, number>> = { r: 4, w: 2, x: 1, X: 1 };

/** @throws FsError ERR_DIRFD_INVALID_ARGUMENT, naming the rule */
export function parseModeRules(text: string, subject: ErrorSubject): readonly ModeRule[] {
  return text.split(',').map((rule) => {
    const parsed = parseRule(rule);
    if (parsed) return parsed;
    const why = `'${rule}' is no rule for modes: say for instance 'D2775', 'Fgo-w' or 'u=rwX'`;
    throw ownError('ERR_DIRFD_INVALID_ARGUMENT', `chmod: ${why}`, subject);
  });
}

function parseRule(text: string): ModeRule | undefined {
  const [, target = '', rest = ''] = /^([DF]?)(.+)$/.exec(text) ?? [];
  const scope = target === 'D' ? SCOPE.directories : target === 'F' ? SCOPE.files : 0;
  if (/^[0-7]{1,4}$/.test(rest)) return { keep: 0, add: Number.parseInt(rest, 8), scope };
  const [, who, operator, what] = /^([ugoa]*)([+=-])([rwxXst]*)$/.exec(rest) ?? [];
  if (who === undefined || operator === undefined || what === undefined) return undefined;
  return symbolic(who, operator, what, scope);
}

function symbolic(who: string, operator: string, what: string, scope: number): ModeRule {
  const places = or(who, WHO) || 0o111;
  const permissions = places * or(what, WHAT);
  const allowed = who === '' ? permissions & ~process.umask() : permissions;
  const special = (what.includes('s') ? or(who, SPECIAL_OF) || 0o4000 : 0) | (what.includes('t') ? 0o1000 : 0);
  const bits = allowed | special;
  if (operator === '-') return { keep: ALL & ~bits, add: 0, scope };
  const added = scope | (what.includes('X') ? SCOPE.whereExecutable : 0);
  if (operator === '+') return { keep: ALL, add: bits, scope: added };
  return { keep: ALL & ~(places * 7) & ~(what.includes('s') ? or(who, SPECIAL_OF) : 0), add: bits, scope: added };
}

function or(letters: string, values: Readonly<Record<string, number>>): number {
  return [...letters].reduce((bits, letter) => bits | (values[letter] ?? 0), 0);
}
