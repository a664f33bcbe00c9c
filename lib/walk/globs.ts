/** include and exclude: globs as picomatch reads them, and which directories they can be ruled out for. */

import { type ErrorSubject, ownError } from '../errors.js';
import { loadPicomatch } from './libraries.js';

export type Globs = string | readonly string[];

/** @param name of the option, for the error about it */
export function toMatcher(globs: Globs, name: string, subject: ErrorSubject): (path: string) => boolean {
  const patterns = listOf(globs);
  const refuse = (why: string) => ownError('ERR_DIRFD_INVALID_ARGUMENT', why, subject);
  if (!patterns.every((glob) => typeof glob === 'string' && glob !== '')) {
    throw refuse(`${name} must be a glob, or several, none of them empty`);
  }
  // "node_modules/" is what people type who know rsync or git; as a glob it would leave nothing out, in silence.
  const slashed = patterns.find((glob) => /^\/|\/$/.test(glob));
  if (slashed !== undefined) {
    throw refuse(`${name} '${slashed}' would match nothing: paths neither begin nor end with a slash`);
  }
  const matchers = patterns.map(matcherOf);
  return (path) => matchers.some((matches) => matches(path));
}

/** Whether anything below a directory may match one of the globs. Where that is hard to tell, it may. */
export function toReach(globs: Globs): (directory: string) => boolean {
  const reaches = listOf(globs).map(reachOf);
  return (directory) => {
    const names = directory.split('/');
    return reaches.some((reaches) => reaches(names));
  };
}

function listOf(globs: Globs): readonly string[] {
  return typeof globs === 'string' ? [globs] : globs;
}

function matcherOf(glob: string): (path: string) => boolean {
  return loadPicomatch()(glob, {
    dot: true,
    // Not for globs with a slash: picomatch would match those with the last component too.
    basename: !glob.includes('/'),
    // Without it `**` does not go past a newline in a name, and an exclude could be evaded by one.
    flags: 's',
  });
}

/** A glob of n plain components matches only paths of as many, each of which must match: no directory of n names leads to them. */
function reachOf(glob: string): (names: readonly string[]) => boolean {
  // A [:class:] changes what picomatch makes of a dot before it.
  if (!glob.includes('/') || glob.includes('[:')) return () => true;
  const components = glob.replace(/^\.\//, '').split('/');
  const strange = components.findIndex((component) => !isPlain(component));
  const plain = strange < 0 ? components.slice(0, -1) : components.slice(0, strange);
  const matchers = plain.map(matcherOf);
  const deepest = strange < 0 ? plain.length : Number.POSITIVE_INFINITY;
  return (names) =>
    names.length <= deepest &&
    names.every((name, depth) => {
      const matches = matchers[depth];
      return matches === undefined || matches(name);
    });
}

/** Neither `**`, nor part of something that may hold a slash, nor what picomatch takes away. */
function isPlain(component: string): boolean {
  if (/^(\.{0,2})$|\*\*|[\\()!|]/.test(component)) return false;
  return ['{}', '[]'].every(
    ([open = '', close = '']) => component.split(open).length === component.split(close).length,
  );
}
