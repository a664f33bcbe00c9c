/**
 * What one directory's file system can hold, found out by doing it: in a directory of a random name, mode 0700, which is removed whatever
 * happens. Nothing outside it is touched.
 */

import { randomBytes } from 'node:crypto';
import { constants, readFileSync } from 'node:fs';
import type { DirectoryFd } from '../index.js';
import { printableBytes } from './terminal.js';

export interface Check {
  readonly name: string;
  readonly works: boolean;
  /** Where it does not work: why, and what that means for copies. */
  readonly detail?: string;
}

export interface DirectoryReport {
  readonly path: string;
  readonly fileSystem: string;
  readonly mountPoint?: string;
  readonly freeBytes: number;
  readonly freeInodes: number;
  /** Why nothing could be tried. */
  readonly untried?: string;
  readonly checks: readonly Check[];
}

/** Throws where it does not work. */
type Trial = (place: DirectoryFd) => Promise<unknown>;

/** One trial: its name, what is lost without it, and how it is tried. Each may use the names that begin with its own. */
const TRIALS: readonly (readonly [name: string, without: string, trial: Trial])[] = [
  ['reflink (FICLONE)', 'copies inside this file system move every byte', tryClone],
  ['copy_file_range', 'copies read and write', tryCopyRange],
  ['O_TMPFILE', 'new files are made under a random name', tryTemporaryFile],
  ['holes', 'sparse files fill up when copied here', tryHoles],
  ['nanosecond times', 'times of copies are rounded', tryTimes],
  ['user xattrs', 'extended attributes of copies are lost here', (place) => tryXattr(place, 'user.dirfd')],
  ['POSIX ACLs', 'access control lists of copies are lost here', tryAcl],
  ['hard links', 'linked files are copied one by one', tryHardLink],
  ['symlinks', 'symlinks cannot be copied here', (place) => place.symlink('target', 'symlink')],
  ['FIFOs', 'FIFOs cannot be copied here', (place) => place.mkfifo('fifo', 0o600)],
  ['names of any bytes', 'names that are not UTF-8 cannot be copied here', tryBytes],
  ['rename, no replace', 'creating without replacing needs hard links', tryNoReplace],
  ['rename, exchange', 'two names cannot be swapped in one step', tryExchange],
  ['record locks', 'no locks between processes here', tryLock],
  ['inode flags', 'chattr flags of copies are lost here', tryInodeFlags],
  ['setting the owner', 'copies here belong to you; root may', tryOwner],
  ['device nodes', 'devices cannot be copied here; root may', tryDevice],
];

/** @throws FsError where the directory cannot be opened */
export async function checkDirectory(path: string | Buffer): Promise<DirectoryReport> {
  const { DirectoryFd, FsError } = await import('../main.js');
  await using directory = await DirectoryFd.open(path);
  const space = await directory.statfs();
  const { mountId } = await directory.stat();
  const facts = {
    path: typeof path === 'string' ? path : printableBytes(path),
    ...mountOf(mountId, space.type),
    freeBytes: space.bavail * space.bsize,
    freeInodes: space.ffree,
  };
  const name = `.dirfd-doctor-${randomBytes(16).toString('hex')}`;
  try {
    await directory.mkdir(name, { mode: 0o700 });
  } catch (error) {
    if (!(error instanceof FsError)) throw error;
    return { ...facts, untried: error.message, checks: [] };
  }
  try {
    await using place = await directory.openDirectory(name);
    const checks: Check[] = [];
    for (const trial of TRIALS) checks.push(await attempt(place, trial));
    return { ...facts, checks };
  } finally {
    await removeTrials(directory, name);
  }
}

async function attempt(place: DirectoryFd, [name, without, trial]: (typeof TRIALS)[number]): Promise<Check> {
  try {
    await trial(place);
    return { name, works: true };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? `${error.code}: ` : '';
    return { name, works: false, detail: code + without };
  }
}

async function tryClone(place: DirectoryFd): Promise<void> {
  // A whole block: some file systems keep small files in the inode and then refuse to share them.
  await place.writeFile('clone-source', Buffer.alloc(65536, 1));
  await using source = await place.openFile('clone-source');
  await using destination = await place.openFile('clone', { flags: 'wx' });
  await source.clone(destination);
}

async function tryCopyRange(place: DirectoryFd): Promise<void> {
  await place.writeFile('range-source', Buffer.alloc(4096, 1));
  await using source = await place.openFile('range-source');
  await using destination = await place.openFile('range', { flags: 'wx' });
  await source.copyRange(destination, 4096);
}

async function tryTemporaryFile(place: DirectoryFd): Promise<void> {
  await using file = await place.createTemporaryFile();
  await file.linkInto(place, 'temporary');
}

async function tryHoles(place: DirectoryFd): Promise<void> {
  await using file = await place.openFile('holes', { flags: 'wx' });
  await file.write('x', { position: 1 << 20 });
  const { blocks } = await file.stat();
  if (blocks * 512 >= 1 << 20) throw new Error('the hole was filled');
}

async function tryTimes(place: DirectoryFd): Promise<void> {
  await place.writeFile('times', '');
  const wanted = 1_234_567_890_123_456_789n;
  await place.utimes('times', wanted, wanted);
  const { mtimeNs } = await place.stat('times');
  if (mtimeNs !== wanted) throw new Error(`kept ${mtimeNs} of ${wanted}`);
}

async function tryXattr(place: DirectoryFd, attribute: string): Promise<void> {
  await place.writeFile('xattr', '');
  await place.setxattr('xattr', attribute, 'value');
}

/** An ACL with one named user, as the kernel stores it: version 2, then (tag, permissions, id) in order (acl(5), posix_acl_xattr.h). */
async function tryAcl(place: DirectoryFd): Promise<void> {
  const UNDEFINED = 0xffff_ffff;
  const entries = [
    [0x01, 6, UNDEFINED],
    [0x02, 4, process.geteuid?.() ?? 0],
    [0x04, 4, UNDEFINED],
    [0x10, 4, UNDEFINED],
    [0x20, 0, UNDEFINED],
  ] as const;
  const value = Buffer.alloc(4 + entries.length * 8);
  value.writeUInt32LE(2);
  entries.forEach(([tag, permissions, id], index) => {
    value.writeUInt16LE(tag, 4 + index * 8);
    value.writeUInt16LE(permissions, 6 + index * 8);
    value.writeUInt32LE(id, 8 + index * 8);
  });
  await place.writeFile('acl', '');
  await place.setxattr('acl', 'system.posix_acl_access', value);
}

async function tryHardLink(place: DirectoryFd): Promise<void> {
  await place.writeFile('link-source', '');
  await place.link('link-source', 'link');
}

async function tryBytes(place: DirectoryFd): Promise<void> {
  const name = Buffer.from([0x6e, 0xff, 0xfe]);
  await place.writeFile(name, '');
  const found = await place.readdir('.', { encoding: 'buffer' });
  if (!found.some((each) => each.equals(name))) throw new Error('the name came back changed');
}

async function tryNoReplace(place: DirectoryFd): Promise<void> {
  await place.writeFile('no-replace', '');
  await place.rename('no-replace', 'no-replace-renamed', { noReplace: true });
}

async function tryExchange(place: DirectoryFd): Promise<void> {
  await place.writeFile('exchange-a', '');
  await place.writeFile('exchange-b', '');
  await place.rename('exchange-a', 'exchange-b', { exchange: true });
}

async function tryLock(place: DirectoryFd): Promise<void> {
  await using file = await place.openFile('lock', { flags: 'w+' });
  if (!(await file.tryLock())) throw new Error('a lock that nobody else holds was refused');
}

async function tryInodeFlags(place: DirectoryFd): Promise<void> {
  await place.writeFile('flags', '');
  const FS_NODUMP_FL = 0x40; // harmless, and anybody may set it
  await place.setflags('flags', (await place.getflags('flags')) | FS_NODUMP_FL);
}

async function tryOwner(place: DirectoryFd): Promise<void> {
  await place.writeFile('owner', '');
  const uid = (process.geteuid?.() ?? 0) + 1;
  await place.chown('owner', uid, -1);
}

async function tryDevice(place: DirectoryFd): Promise<void> {
  await place.mknod('device', constants.S_IFCHR | 0o600, 0x103); // 1:3, /dev/null's numbers
}

/** Flat by construction, so no recursion: nothing in it is a directory. */
async function removeTrials(directory: DirectoryFd, name: string): Promise<void> {
  await using place = await directory.openDirectory(name);
  for (const entry of await place.readdir('.', { encoding: 'buffer' })) await place.unlink(entry);
  await directory.rmdir(name);
}

/** The type's name from the mount table (proc_pid_mountinfo(5)); without /proc, the number that statfs(2) tells. */
function mountOf(mountId: bigint, type: number): { fileSystem: string; mountPoint?: string } {
  try {
    for (const line of readFileSync('/proc/self/mountinfo', 'utf8').split('\n')) {
      const [id, , , , mountPoint = ''] = line.split(' ');
      const fileSystem = line.split(' - ')[1]?.split(' ')[0];
      if (id === String(mountId) && fileSystem) return { fileSystem, mountPoint: unescapeOctal(mountPoint) };
    }
  } catch {
    // No /proc in this container.
  }
  return { fileSystem: `file system 0x${type.toString(16)}` };
}

function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
