// Trees as lines, to be made and to be read:
//
//   a/b = text      a file        a/b -> c   a symlink      a/b/   a directory that is empty
//   a/b |           a FIFO        0600 in front of a line: its mode, where it matters
//
// $ stands for the directory that all is in.
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { run } from '../fixtures/command.js';

export function makeTree(root: string, lines: readonly string[]): void {
  for (const line of lines) {
    const [, mode, path, sign, rest] = /^(?:(0\d+) )?(\S+?)(?: (=|->|\|) ?(.*))?$/s.exec(line) ?? [];
    if (path === undefined) throw new Error(`no tree: ${line}`);
    const at = join(root, path);
    mkdirSync(dirname(at), { recursive: true });
    if (sign === '=') writeFileSync(at, rest ?? '');
    else if (sign === '->') symlinkSync((rest ?? '').replace('$', root), at);
    else if (sign === '|') run('mkfifo', [at]);
    else mkdirSync(at, { recursive: true });
    if (mode !== undefined) chmodSync(at, Number.parseInt(mode, 8));
  }
}

export function readTree(root: string, below = ''): string[] {
  const names = readdirSync(join(root, below)).sort();
  if (names.length === 0 && below !== '') return [`${below}/`];
  return names.flatMap((name) => {
    const path = join(below, name);
    const at = join(root, path);
    const stat = lstatSync(at);
    if (stat.isDirectory()) return readTree(root, path);
    if (stat.isSymbolicLink()) return [`${path} -> ${readlinkSync(at).replace(root, '$')}`];
    return [stat.isFile() ? `${path} = ${readFileSync(at, 'utf8')}` : `${path} |`];
  });
}

/** What came, and what went. */
export function changes(before: readonly string[], after: readonly string[]): string[] {
  return [
    ...before.filter((line) => !after.includes(line)).map((line) => `- ${line}`),
    ...after.filter((line) => !before.includes(line)).map((line) => `+ ${line}`),
  ];
}
