/** One side of a difference, for people. */

import type { Stat } from '../dirfd/stat.js';
import { shownPath } from '../errors.js';
import type { FIELDS } from '../native/trees.js';

type Field = (typeof FIELDS)[number];

const stats: Readonly<Partial<Record<Field, (stat: Stat, offset: number | undefined) => string>>> = {
  missing: (stat) => stat.kind,
  extra: (stat) => stat.kind,
  kind: (stat) => stat.kind,
  mode: (stat) => (stat.mode & 0o7777).toString(8).padStart(4, '0'),
  owner: (stat) => `${stat.uid}:${stat.gid}`,
  times: (stat) => momentOf(stat.mtimeNs),
  size: (stat) => `${stat.exactSize} bytes`,
  content: (_stat, offset) => `from byte ${offset}`,
  holes: (stat) => `${stat.blocks * 512} bytes allocated`,
  device: (stat) => `${stat.kind} ${major(stat.rdev)}:${minor(stat.rdev)}`,
};

/** Values that are text already. */
const PLAIN: ReadonlySet<Field> = new Set(['target', 'flags', 'project'] as const);

export function describe(field: Field, stat: Stat | undefined, value: Buffer | undefined, offset: number | undefined) {
  if (value !== undefined) return PLAIN.has(field) ? shownPath(value) || 'none' : valueText(value);
  return stat && stats[field]?.(stat, offset);
}

/** As date(1) writes it, in UTC, with all nine digits. */
function momentOf(ns: bigint): string {
  const fraction = ((ns % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  const seconds = (ns - fraction) / 1_000_000_000n;
  const date = new Date(Number(seconds) * 1000);
  // Beyond what Date can show: seconds, then.
  if (Number.isNaN(date.getTime())) return `@${seconds}.${String(fraction).padStart(9, '0')}`;
  return date.toISOString().replace(/\.\d+Z$/, `.${String(fraction).padStart(9, '0')}Z`);
}

/** Text as it is, all else in hexadecimal, as getfattr does; long values are cut. */
function valueText(value: Buffer): string {
  const shown = value.subarray(0, 64);
  const isText = shown.every((byte) => byte >= 0x20 && byte < 0x7f);
  const text = isText ? `"${shown.toString('latin1')}"` : `0x${shown.toString('hex')}`;
  return shown.length < value.length ? `${text}… (${value.length} bytes)` : text;
}

/** gnu_dev_major and gnu_dev_minor of makedev(3). */
function major(device: bigint): bigint {
  return ((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xfffff000n);
}
function minor(device: bigint): bigint {
  return (device & 0xffn) | ((device >> 12n) & 0xffffff00n);
}
