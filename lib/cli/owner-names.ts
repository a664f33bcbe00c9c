/** Names of users and groups as the local files have them (passwd(5), group(5)); where they have none, the number. */

import { readFileSync } from 'node:fs';

export interface OwnerNames {
  user(uid: number): string;
  group(gid: number): string;
}

export function ownerNames(): OwnerNames {
  const users = namesIn('/etc/passwd');
  const groups = namesIn('/etc/group');
  return { user: (uid) => users.get(uid) ?? String(uid), group: (gid) => groups.get(gid) ?? String(gid) };
}

/** Numbers by name. */
export function ownerIds(whose: 'user' | 'group'): ReadonlyMap<string, number> {
  const ids = new Map<string, number>();
  for (const [name, number] of lines(whose === 'user' ? '/etc/passwd' : '/etc/group')) {
    if (!ids.has(name)) ids.set(name, number);
  }
  return ids;
}

/** `name:password:number:…`; the first name of a number counts, as getpwuid(3) has it. */
function namesIn(path: string): Map<number, string> {
  const names = new Map<number, string>();
  for (const [name, number] of lines(path)) if (!names.has(number)) names.set(number, name);
  return names;
}

function lines(path: string): (readonly [name: string, number: number])[] {
  return readIfThere(path)
    .split('\n')
    .map((line) => line.split(':'))
    .flatMap(([name, , number]) => (name && number ? [[name, Number(number)] as const] : []));
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
