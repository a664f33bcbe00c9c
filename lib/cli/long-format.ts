/** One entry as `ls -l` writes it: `-rwxr-xr-x   1 root     root         1234 2026-11-21 06:34 `. The path follows. */

import { constants } from 'node:fs';
import type { Stat } from '../index.js';
import { ownerNames } from './owner-names.js';

const LETTERS: Readonly<Record<number, string>> = {
  [constants.S_IFREG]: '-',
  [constants.S_IFDIR]: 'd',
  [constants.S_IFLNK]: 'l',
  [constants.S_IFIFO]: 'p',
  [constants.S_IFSOCK]: 's',
  [constants.S_IFCHR]: 'c',
  [constants.S_IFBLK]: 'b',
};

/** 0o104755 → -rwsr-xr-x */
export function modeText(mode: number): string {
  const triple = (bits: number, special: boolean, letter: string) =>
    (bits & 4 ? 'r' : '-') +
    (bits & 2 ? 'w' : '-') +
    (special ? (bits & 1 ? letter : letter.toUpperCase()) : bits & 1 ? 'x' : '-');
  return (
    (LETTERS[mode & constants.S_IFMT] ?? '?') +
    triple((mode >> 6) & 7, (mode & 0o4000) !== 0, 's') +
    triple((mode >> 3) & 7, (mode & 0o2000) !== 0, 's') +
    triple(mode & 7, (mode & 0o1000) !== 0, 't')
  );
}

/** Columns have fixed widths and grow where they must: a stream cannot wait for its widest line. */
export function longFormat(): (stat: Stat) => string {
  const names = ownerNames();
  const modes = remembered(modeText);
  const owners = remembered((uid) => names.user(uid).padEnd(8));
  const groups = remembered((gid) => names.group(gid).padEnd(8));
  const minutes = remembered(minuteText);
  return (stat) => {
    const minute = minutes(Math.floor(Number(stat.mtimeNs / 1_000_000_000n) / 60));
    return `${modes(stat.mode)} ${String(stat.nlink).padStart(3)} ${owners(stat.uid)} ${groups(stat.gid)} ${sizeText(stat).padStart(10)} ${minute} `;
  };
}

/** `major, minor` of a device node (makedev(3)), the size of all else. */
function sizeText(stat: Stat): string {
  if (!stat.isCharacterDevice() && !stat.isBlockDevice()) return String(stat.exactSize);
  const major = ((stat.rdev >> 8n) & 0xfffn) | ((stat.rdev >> 32n) & ~0xfffn);
  const minor = (stat.rdev & 0xffn) | ((stat.rdev >> 12n) & 0xffffff00n);
  return `${major}, ${minor}`;
}

/** In local time, as `ls --time-style=long-iso`. */
function minuteText(minutes: number): string {
  const date = new Date(minutes * 60_000);
  if (Number.isNaN(date.getTime())) return '????-??-?? ??:??';
  const two = (value: number) => String(value).padStart(2, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** Trees repeat few values many times. Forgets all when there are too many, so that memory stays bounded. */
function remembered(make: (key: number) => string): (key: number) => string {
  const known = new Map<number, string>();
  return (key) => {
    let text = known.get(key);
    if (text === undefined) {
      if (known.size >= 10_000) known.clear();
      text = make(key);
      known.set(key, text);
    }
    return text;
  };
}
