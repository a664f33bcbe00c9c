// A mount of native/latency_fs.c over a directory. Needs fuse3 and libfuse3-dev.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { program } from './programs.mjs';

/** Each request to it takes `milliseconds`. */
export function latencyFileSystem(directory, milliseconds, place) {
  const point = mkdtempSync(join(place, 'latency-'));
  execFileSync(program('latency_fs'), [directory, String(milliseconds * 1000), point], { stdio: 'inherit' });
  const release = () => {
    process.removeListener('exit', release);
    execFileSync('fusermount3', ['-u', point]);
    rmdirSync(point);
  };
  process.once('exit', release);
  return { point, release };
}
