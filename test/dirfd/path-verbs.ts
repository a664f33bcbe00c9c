// Every verb of a DirectoryFd, aimed at a path that an attacker exchanges for something else all the while.
import { DirectoryFd, FileFd, Stat } from 'dirfd';

/** `seed` is a file beside what is attacked; `linked` a name there that verbs make and take. */
export type Verb = (directory: DirectoryFd, path: string) => unknown;

/** A key's first word is the method. These leave the path's own name where it is. */
export const verbs: Readonly<Record<string, Verb>> = {
  stat: (directory, path) => directory.stat(path),
  statSync: (directory, path) => directory.statSync(path),
  statFollow: (directory, path) => directory.statFollow(path),
  access: (directory, path) => directory.access(path),
  accessSync: (directory, path) => directory.accessSync(path),
  exists: (directory, path) => directory.exists(path),
  existsSync: (directory, path) => directory.existsSync(path),
  chmod: (directory, path) => directory.chmod(path, 0o755),
  chmodSync: (directory, path) => directory.chmodSync(path, 0o755),
  chown: (directory, path) => directory.chown(path, process.getuid?.() ?? -1, -1),
  chownSync: (directory, path) => directory.chownSync(path, process.getuid?.() ?? -1, -1),
  utimes: (directory, path) => directory.utimes(path, 'now', 'now'),
  utimesSync: (directory, path) => directory.utimesSync(path, 'now', 'now'),
  setxattr: (directory, path) => directory.setxattr(path, 'user.x', 'y'),
  getxattr: (directory, path) => directory.getxattr(path, 'user.x'),
  listxattr: (directory, path) => directory.listxattr(path),
  removexattr: (directory, path) => directory.removexattr(path, 'user.x'),
  getflags: (directory, path) => directory.getflags(path),
  setflags: (directory, path) => directory.setflags(path, 0x40),
  openFile: (directory, path) => directory.openFile(path),
  'openFile w': (directory, path) => directory.openFile(path, 'w'),
  'openFile a+': (directory, path) => directory.openFile(path, 'a+'),
  openFileSync: (directory, path) => directory.openFileSync(path, 'r+'),
  openFileFollow: (directory, path) => directory.openFileFollow(path, 'r+'),
  readFile: (directory, path) => directory.readFile(path),
  writeFile: (directory, path) => directory.writeFile(path, 'inside'),
  appendFile: (directory, path) => directory.appendFile(path, 'inside'),
  openDirectory: (directory, path) => directory.openDirectory(path),
  openDirectorySync: (directory, path) => directory.openDirectorySync(path),
  openDirectoryFollow: (directory, path) => directory.openDirectoryFollow(path),
  readdir: (directory, path) => directory.readdir(path),
  readdirSync: (directory, path) => directory.readdirSync(path),
  readlink: (directory, path) => directory.readlink(path),
  readlinkSync: (directory, path) => directory.readlinkSync(path),
  entries: async (directory, path) => (await directory.entries(path)).map(({ name }) => name),
  'link to': (directory, path) => directory.link('seed', `${path}/linked`),
  'link from': (directory, path) => directory.link(path, 'linked'),
  linkSync: (directory, path) => directory.linkSync(path, 'linked-too'),
  mkdir: (directory, path) => directory.mkdir(`${path}/made/deep`, { recursive: true }),
  mkdirSync: (directory, path) => directory.mkdirSync(`${path}/made-too/deep`, { recursive: true }),
  rmdir: (directory, path) => directory.rmdir(`${path}/made/deep`),
  rmdirSync: (directory, path) => directory.rmdirSync(`${path}/made-too/deep`),
  symlink: (directory, path) => directory.symlink('x', `${path}/symlink`),
  symlinkSync: (directory, path) => directory.symlinkSync('x', `${path}/symlink-too`),
  mkfifo: (directory, path) => directory.mkfifo(`${path}/fifo`),
  mknod: (directory, path) => directory.mknod(`${path}/node`, 0o100600),
  'writeFile anew': (directory, path) => directory.writeFile(`${path}/created`, 'inside'),
  'rename in': (directory, path) => directory.rename('linked', `${path}/renamed`),
  'rename out': (directory, path) => directory.rename(`${path}/renamed`, 'linked'),
  renameSync: (directory, path) => directory.renameSync('linked', `${path}/renamed`),
  unlink: (directory, path) => directory.unlink(`${path}/created`),
  'unlink file': (directory, path) => directory.unlink(`${path}/file`),
  unlinkSync: (directory, path) => directory.unlinkSync(`${path}/node`),
  'removeTree below': (directory, path) => directory.removeTree(`${path}/made`, { force: true }),
  createTemporaryFile: async (directory, path) => {
    await using file = await directory.createTemporaryFile();
    await file.linkInto(directory, `${path}/linked-into`);
  },
};

/** These take the name away, or put something else there. */
export const takingVerbs: Readonly<Record<string, Verb>> = {
  'unlink itself': (directory, path) => directory.unlink(path),
  'rename onto': (directory, path) => directory.rename('linked', path),
  'rename itself': (directory, path) => directory.rename(path, 'moved'),
  'linkInto over': async (directory, path) => {
    await using file = await directory.createTemporaryFile();
    await file.writeFile('inside');
    await file.linkInto(directory, path, { replace: true });
  },
  'removeTree itself': (directory, path) => directory.removeTree(path, { onError: 'continue' }),
};

/** What is not to be seen: inodes outside, names that only the outside has, what its files hold. */
export interface Forbidden {
  holds(ino: bigint): boolean;
  readonly name: string;
  readonly secret: string;
}

/** Says what of the forbidden a verb gave, or nothing; closes handles. */
export async function glimpse(value: unknown, forbidden: Forbidden): Promise<string | undefined> {
  if (value instanceof FileFd) {
    await using file = value;
    return forbidden.holds((await file.stat()).ino) ? 'opened a file outside' : undefined;
  }
  if (value instanceof DirectoryFd) {
    await using directory = value;
    return forbidden.holds((await directory.stat()).ino) ? 'opened a directory outside' : undefined;
  }
  if (value instanceof Stat) return forbidden.holds(value.ino) ? 'saw what is outside' : undefined;
  if (value instanceof Uint8Array) return value.toString().includes(forbidden.secret) ? 'read a sentinel' : undefined;
  if (Array.isArray(value)) return value.includes(forbidden.name) ? 'listed the outside' : undefined;
  return undefined;
}
