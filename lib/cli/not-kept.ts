/** What a copy could not keep, by reason: a thousand lines about owners tell less than one that counts them. */

import type { NotKept } from '../index.js';
import { say } from './messages.js';
import { printableBytes } from './terminal.js';
import { counted } from './units.js';

interface Group {
  readonly what: string;
  readonly code: string;
  readonly example: Buffer;
  count: number;
}

const NAMES: Readonly<Record<NotKept['what'], string>> = {
  owner: 'owner or group',
  mode: 'mode',
  xattr: 'extended attribute',
  acl: 'access control list',
  capability: 'file capability',
  times: 'times',
  'hard-link': 'hard link',
  durability: 'fsync',
  flags: 'inode flags',
  project: 'project id',
};

/** What to do about it, where something is to be done: by what and code, then by code alone. */
const ADVICE: Readonly<Record<string, string>> = {
  'owner EPERM': 'only root may give files to others; --no-owner does not try',
  'owner EINVAL': 'this user namespace does not know these ids; --no-owner does not try',
  'mode EPERM': 'set-user-id and set-group-id bits go where the owner could not be kept',
  'xattr EPERM': 'attributes outside of user.* need root; --no-xattrs does not try',
  'capability EPERM': 'only root may set file capabilities',
  'times ERANGE': "DST's file system rounds times, or has none so late: --update will copy these again",
  'hard-link EMLINK': 'this file system has no more links to give: copied as a file of its own',
  ENOTSUP: "DST's file system has no such thing: see dirfd doctor DST",
  ENOSPC: 'no room: the attributes of a file may fill a block on their own',
};

export class NotKeptGroups {
  readonly #groups = new Map<string, Group>();

  add({ what, attribute, code, pathBytes }: NotKept): void {
    const key = `${what} ${attribute ?? ''} ${code}`;
    const group = this.#groups.get(key);
    if (group) group.count++;
    else this.#groups.set(key, { what: nameOf(what, attribute), code, example: pathBytes, count: 1 });
  }

  /** One line a reason, the most frequent first. */
  tell(): void {
    const groups = [...this.#groups].sort(([, a], [, b]) => b.count - a.count);
    for (const [key, { what, code, example, count: times }] of groups) {
      const [kind = ''] = key.split(' ');
      const advice = ADVICE[`${kind} ${code}`] ?? ADVICE[code];
      const of = times === 1 ? '' : `${counted(times, 'entry', 'entries')}, first `;
      say(`not kept: ${what} of ${of}${printableBytes(example) || '.'}: ${code}${advice ? ` (${advice})` : ''}`);
    }
  }
}

function nameOf(what: NotKept['what'], attribute: string | undefined): string {
  return attribute === undefined ? NAMES[what] : `${NAMES[what]} ${attribute}`;
}
