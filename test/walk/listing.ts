// The truth that walks are held to: what find(1) says of a tree, and what a walk says, in one form.

import assert from 'node:assert/strict';
import { DirectoryFd, type Entry, type WalkOptions, walk } from 'dirfd';
import { attempt } from '../fixtures/command.js';

/**
 * `path type mode uid gid nlink size blocks ino mtime`, the path in latin1: a character a byte; and `path denied` for a directory that an
 * ordinary user may not read.
 */
export function findListing(root: string, ...expressions: string[]): string[] {
  const format = '%P\\0%y %m %U %G %n %s %b %i %T@\\0';
  const command = [root, '-mindepth', '1', ...expressions, '-printf', format];
  const { status, stdout, stderr } = attempt('find', command, { env: { ...process.env, LC_ALL: 'C' } });
  const lines = [...stderr.matchAll(/^find: '(.*)': Permission denied$/gm)].map(
    ([, path = '']) => `${path.slice(root.length + 1)} denied`,
  );
  assert.equal(status, lines.length > 0 ? 1 : 0, stderr);
  const fields = stdout.split('\0');
  for (let at = 0; at + 1 < fields.length; at += 2) lines.push(`${fields[at]} ${fields[at + 1]}`);
  return lines.sort();
}

const LETTERS: Readonly<Record<string, string>> = {
  file: 'f',
  directory: 'd',
  symlink: 'l',
  fifo: 'p',
  socket: 's',
  'character-device': 'c',
  'block-device': 'b',
};

export function lineOf(entry: Entry<string | Buffer>): string {
  const { mode, uid, gid, nlink, size, blocks, ino, mtimeNs } = entry.stat;
  const permissions = (mode & 0o7777).toString(8);
  const facts = [LETTERS[entry.kind], permissions, uid, gid, nlink, size, blocks, ino, toSeconds(mtimeNs)];
  return `${entry.pathBytes.toString('latin1')} ${facts.join(' ')}`;
}

/** As find's %T@: ten digits of fraction. Before 1970 find's fraction counts on from the second before. */
function toSeconds(ns: bigint): string {
  const seconds = ns / 1_000_000_000n - (ns % 1_000_000_000n < 0n ? 1n : 0n);
  const fraction = ns - seconds * 1_000_000_000n;
  return `${seconds}.${String(fraction).padStart(9, '0')}0`;
}

export async function walkListing(root: string | DirectoryFd, options: WalkOptions = {}): Promise<string[]> {
  const lines: string[] = [];
  for await (const entry of walk(root, { ...options, onError: 'report' })) {
    if (entry.event === 'entry') lines.push(lineOf(entry));
    if (entry.event === 'error') lines.push(`${entry.path} ${entry.error?.code === 'EACCES' ? 'denied' : entry.error}`);
  }
  return lines.sort();
}

/** Paths in the order in which they come, in latin1. */
export async function pathsOf(root: string | DirectoryFd, options: WalkOptions = {}): Promise<string[]> {
  const paths: string[] = [];
  for await (const entry of walk(root, options)) {
    paths.push(`${entry.event === 'entry' ? '' : `${entry.event} `}${entry.pathBytes.toString('latin1')}`);
  }
  return paths;
}

export async function using<T>(path: string, use: (root: DirectoryFd) => Promise<T>): Promise<T> {
  await using root = await DirectoryFd.open(path);
  return await use(root);
}
