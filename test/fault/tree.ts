// A small tree with one of each thing that a copy keeps, so that a sweep of every call over it stays short; and a copy that has aged.
import {
  chmodSync,
  chownSync,
  closeSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { run } from '../fixtures/command.js';
import { findTool, isRoot } from '../fixtures/tools.js';
import { everyByte } from '../fixtures/trees/plain.js';

export function oneOfEach(directory: string): void {
  const at = (name: string): string => join(directory, name);
  mkdirSync(at('sub/deeper'), { recursive: true });
  mkdirSync(at('empty'));
  writeFileSync(at('small'), 'a few bytes\n');
  writeFileSync(at('large'), everyByte(300_000));
  writeFileSync(at('nothing'), '');
  sparse(at('sparse'));
  writeFileSync(at('attributes'), 'with attributes\n');
  writeFileSync(at('set-user-id'), 'of another user\n');
  writeFileSync(at('first-name'), 'two names\n');
  linkSync(at('first-name'), at('sub/second-name'));
  writeFileSync(at('sub/leaf'), everyByte(5000));
  writeFileSync(at('sub/deeper/leaf'), 'deep\n');
  symlinkSync('small', at('link'));
  run('mkfifo', ['-m', '0640', at('fifo')]);
  if (findTool('setfattr')) run('setfattr', ['-n', 'user.text', '-v', 'a value', at('attributes'), at('sub')]);
  if (findTool('setfacl')) run('setfacl', ['-m', 'u:65534:rw', at('attributes')]);
  if (isRoot()) chownSync(at('set-user-id'), 12345, 54321);
  chmodSync(at('set-user-id'), 0o4755);
  chmodSync(at('sub'), 0o750);
  const longAgo = new Date('2020-02-02T02:02:02.222Z');
  for (const name of ['small', 'large', 'sparse', 'sub/leaf', 'sub/deeper', 'sub', 'empty', '.']) {
    utimesSync(at(name), longAgo, longAgo);
  }
}

/** What a mirror of that tree has become: content, attributes, kinds and names differ, some files are there that should not be. */
export function agedCopy(directory: string, source: string): void {
  run('cp', ['-a', '--', source, directory]);
  const at = (name: string): string => join(directory, name);
  writeFileSync(at('small'), 'other bytes, and more\n');
  if (findTool('setfattr')) run('setfattr', ['-x', 'user.text', at('attributes')]);
  chmodSync(at('set-user-id'), 0o600);
  rmSync(at('link'));
  writeFileSync(at('link'), 'a file where a link is to be');
  rmSync(at('sub/leaf'));
  rmSync(at('sub/deeper'), { recursive: true });
  symlinkSync('..', at('sub/deeper'));
  mkdirSync(at('extra/below'), { recursive: true });
  writeFileSync(at('extra/below/file'), 'to be deleted\n');
  writeFileSync(at('sub/extra'), 'to be deleted\n');
}

function sparse(path: string): void {
  const fd = openSync(path, 'w');
  writeSync(fd, everyByte(4096), 0, 4096, 1 << 20);
  ftruncateSync(fd, 3 << 20);
  closeSync(fd);
}
