// A copy that is not one is not timed. Peers that lose metadata are held to names and content alone.
import { spawnSync } from 'node:child_process';

/** What rsync would still change, a line each. */
export function whatDiffers(driver, source, destination) {
  const flags = driver.keeps === 'everything' ? '-aHAXn' : '-rlnc';
  const args = [flags, '--delete', '--itemize-changes', `${source}/`, `${destination}/`];
  const { stdout, stderr, status, error } = spawnSync('rsync', args, { encoding: 'utf8', maxBuffer: 2 ** 28 });
  if (error) throw new Error('rsync is needed to check that copies are equal');
  if (status !== 0) throw new Error(stderr);
  // With -c and without -t, rsync itemizes times that differ although it would not change a byte.
  const timesOnly = (line) => driver.keeps === 'content' && /^\.[fdL]/.test(line);
  return stdout.split('\n').filter((line) => line !== '' && !timesOnly(line));
}
