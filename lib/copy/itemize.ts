/**
 * What happens to an entry, in rsync's notation: eleven characters, as `rsync --itemize-changes` prints them.
 *
 *   >f.st......     a file whose size and time differ is copied          +++++++++   new
 *   │││││││││││
 *   ││││││││││└ x   attributes, capabilities; flags and project ids, of which rsync knows nothing
 *   │││││││││└─ a   ACL                                                  The rest is blank where nothing but the
 *   ││││││││└── .   (rsync's access time: not compared)                  entry itself is made again.
 *   ││││││└┴─── og  owner, group
 *   │││││└───── p   permissions, special bits included
 *   ││││└────── t   modification time (T: it is not kept)
 *   │││└─────── s   size
 *   ││└──────── c   bytes, with `checksum`; what a link points to; a device's number
 *   │└───────── f file, d directory, L symlink, D device, S FIFO or socket
 *   └────────── > copied   c made   h a hard link   . set right in place
 */

import type { Kind } from '../dirfd/kind.js';
import { CHANGE } from '../native/trees.js';
import type { CopyEntryEvent } from './events.js';

/** As wide as the others. */
const DELETING = '*deleting  ';

const LETTERS: Readonly<Record<Kind, string>> = {
  file: 'f',
  directory: 'd',
  symlink: 'L',
  fifo: 'S',
  socket: 'S',
  'character-device': 'D',
  'block-device': 'D',
  unknown: '?',
};

const COLUMNS: readonly (readonly [letter: string, mask: number])[] = [
  ['c', CHANGE.content],
  ['s', CHANGE.size],
  ['t', CHANGE.times],
  ['p', CHANGE.mode],
  ['o', CHANGE.user],
  ['g', CHANGE.group],
  ['.', 0],
  ['a', CHANGE.acl],
  ['x', CHANGE.xattr | CHANGE.flags | CHANGE.project],
];

/** @param changes or-ed bits of CHANGE */
export function itemized(action: CopyEntryEvent['action'], kind: Kind, changes: number, isLink: boolean): string {
  if (action === 'delete') return DELETING;
  const how = isLink ? 'h' : action === 'metadata' ? '.' : kind === 'file' ? '>' : 'c';
  if (changes & CHANGE.new) return `${how}${LETTERS[kind]}+++++++++`;
  const columns = COLUMNS.map(([letter, mask]) => (changes & mask ? letter : '.')).join('');
  const isBlank = how !== '>' && columns === '.........';
  return `${how}${LETTERS[kind]}${isBlank ? '         ' : columns}`;
}
