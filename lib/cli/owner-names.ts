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

/** `name:password:number:…`; the first name of a number counts, as getpwuid(3) has it. */
function namesIn(path: string): Map<number, string> {
  const names = new Map<number, string>();
  for (const line of readIfThere(path).split('\n')) {
    const [name, , number] = line.split(':');
    if (name && number && !names.has(Number(number))) names.set(Number(number), name);
  }
  return names;
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
