// The corpora, made once a scale and kept: the same seed gives the same tree.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { program } from './programs.mjs';

export function corpus(kind, scale, place) {
  const finished = join(place, `corpus-${kind}-${scale}`);
  if (existsSync(finished)) return finished;
  const draft = `${finished}.draft`;
  rmSync(draft, { recursive: true, force: true });
  fillCorpus(kind, scale, draft);
  renameSync(draft, finished);
  return finished;
}

/** Makes a corpus anew, in a directory that is not there yet. */
export function fillCorpus(kind, scale, directory) {
  mkdirSync(directory, { recursive: true });
  execFileSync(program('make_corpus'), [kind, directory, String(scale)], { stdio: 'inherit' });
}

/** Reads all names, inodes and content into the caches. */
export function warm(directory) {
  execFileSync('sh', ['-c', 'find "$1" -type f -exec cat {} + > /dev/null', 'sh', directory]);
  execFileSync('sh', ['-c', 'find "$1" -printf "%s" > /dev/null', 'sh', directory]);
}
