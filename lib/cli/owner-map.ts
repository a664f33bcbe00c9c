/** `--chown`, `--usermap`, `--groupmap` and `--chmod`, as rsync spells them. Names are this machine's; the library takes numbers. */

import { type Command, InvalidArgumentError, Option } from 'commander';
import type { IdMap, KeepRuleOptions } from '../index.js';
import { ownerIds } from './owner-names.js';

export interface KeepRuleFlags {
  readonly chown?: KeepRuleOptions['ownerMap'];
  readonly usermap?: IdMap | undefined;
  readonly groupmap?: IdMap | undefined;
  readonly chmod?: string | undefined;
}

export function addKeepRules(command: Command): void {
  command
    .addOption(
      new Option('--chown <user:group>', 'one owner for all: USER, USER:GROUP or :GROUP')
        .argParser(ownerArgument)
        .conflicts('owner'),
    )
    .addOption(
      new Option('--usermap <map>', 'other users: FROM:TO,FROM:TO; FROM a name, an id, a range 0-99, or *')
        .argParser(mapArgument('user'))
        .conflicts(['chown', 'owner']),
    )
    .addOption(
      new Option('--groupmap <map>', 'other groups, the same')
        .argParser(mapArgument('group'))
        .conflicts(['chown', 'owner']),
    )
    .option('--chmod <rules>', 'other modes: D2775,F664 or go-w,+X (D for directories, F for all else)', modeArgument);
}

/** What the library is told. */
export function keepRules({ chown, usermap, groupmap, chmod }: KeepRuleFlags): KeepRuleOptions {
  const ownerMap = chown ?? (usermap || groupmap ? { users: usermap, groups: groupmap } : undefined);
  return { ...(ownerMap ? { ownerMap } : {}), ...(chmod === undefined ? {} : { chmod }) };
}

type Whose = 'user' | 'group';

function ownerArgument(text: string): KeepRuleFlags['chown'] {
  const [, user = '', group = ''] = /^([^:]*)(?::(.*))?$/.exec(text) ?? [];
  if (user === '' && group === '') throw new InvalidArgumentError('It must be USER, USER:GROUP or :GROUP.');
  return {
    ...(user === '' ? {} : { users: { '*': idOf(user, 'user') } }),
    ...(group === '' ? {} : { groups: { '*': idOf(group, 'group') } }),
  };
}

/** The first pair that matches counts: what an earlier one covers is not put into the map again. */
function mapArgument(whose: Whose): (text: string) => IdMap {
  return (text) => {
    const map: Record<string, number> = {};
    for (const pair of text.split(',')) {
      const [, from = '', to = ''] = /^([^:]+):([^:]+)$/.exec(pair) ?? [];
      if (from === '') throw new InvalidArgumentError(`'${pair}' is not FROM:TO.`);
      for (const key of keysOf(from, whose)) if (!isCovered(key, map)) map[key] = idOf(to, whose);
    }
    return map;
  };
}

function keysOf(from: string, whose: Whose): readonly string[] {
  if (from === '*' || /^\d+(-\d+)?$/.test(from)) return [from];
  const ids = ownerIds(whose);
  if (!from.includes('*')) return [String(idOf(from, whose))];
  const pattern = new RegExp(`^${from.split('*').map(escaped).join('.*')}$`);
  return [...ids].filter(([name]) => pattern.test(name)).map(([, id]) => String(id));
}

function isCovered(key: string, map: Readonly<Record<string, number>>): boolean {
  if ('*' in map || key in map) return true;
  const [first = Number.NaN, last = first] = key.split('-').map(Number);
  return Object.keys(map).some((other) => {
    const [low = Number.NaN, high = low] = other.split('-').map(Number);
    return low <= first && last <= high;
  });
}

function idOf(name: string, whose: Whose): number {
  const id = /^\d+$/.test(name) ? Number(name) : ownerIds(whose).get(name);
  if (id !== undefined) return id;
  throw new InvalidArgumentError(`This machine knows no ${whose} '${name}'.`);
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

const RULE = /^[DF]?([0-7]{1,4}|[ugoa]*[+=-][rwxXst]*)$/;

/** May be given several times; later rules come after earlier ones. */
function modeArgument(text: string, previous: string | undefined): string {
  const wrong = text.split(',').find((rule) => !RULE.test(rule));
  if (wrong !== undefined) throw new InvalidArgumentError(`'${wrong}' is no rule for modes.`);
  return previous === undefined ? text : `${previous},${text}`;
}
