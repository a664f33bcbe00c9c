// A fresh file system on a loop image, or a tmpfs, for one trial or one round. Needs root.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const makers = {
  // No lazy initialization: it would go on in the background while trials are timed.
  ext4: ['mkfs.ext4', '-q', '-F', '-E', 'lazy_itable_init=0,lazy_journal_init=0', '-i', '8192'],
  xfs: ['mkfs.xfs', '-q', '-f'],
  btrfs: ['mkfs.btrfs', '-q', '-f'],
};

export function freshFileSystem(type, gibibytes, place) {
  if (process.getuid() !== 0) throw new Error('copy cases mount file systems of their own: run them as root');
  mkdirSync(place, { recursive: true });
  const base = mkdtempSync(join(place, `${type}-`));
  const point = join(base, 'mnt');
  mkdirSync(point);
  const mebibytes = Math.max(400, Math.ceil(gibibytes * 1024));
  try {
    if (type === 'tmpfs') run('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m,nr_inodes=0`, 'tmpfs', point]);
    else mountImage(type, mebibytes, join(base, 'image'), point);
  } catch (error) {
    rmSync(base, { recursive: true, force: true });
    throw error;
  }
  const release = () => {
    process.removeListener('exit', release);
    run('umount', [point]);
    rmSync(base, { recursive: true, force: true });
  };
  process.once('exit', release);
  return { point, release };
}

function mountImage(type, mebibytes, image, point) {
  writeFileSync(image, '');
  truncateSync(image, mebibytes * 2 ** 20);
  const [mkfs, ...args] = makers[type];
  run(mkfs, [...args, image]);
  run('mount', ['-o', 'loop', '-t', type, image, point]);
}

function run(command, args) {
  execFileSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'] });
}
