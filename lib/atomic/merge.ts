/** Several configuration files made one. */

import type { ErrorSubject } from '../errors.js';
import { ContentError, operationError } from '../operation-errors.js';
import { retrying } from './failures.js';
import { lettingGo } from './let-go.js';
import { oneOf, toReplaceHow } from './options.js';
import { formatOf, readData } from './read.js';
import type { AtomicWriteResult } from './replace.js';
import { type AtomicTarget, holdPatiently, holdTarget } from './target.js';
import { type WriteJsonOptions, writeJson, writeYaml } from './write.js';

/** Levels of objects and arrays. */
const DEEPEST = 1000;

/** `'deep'`: objects key by key, at every depth; `'shallow'`: the outermost object only; `'replace'`: the last file alone. */
export type MergeStrategy = 'deep' | 'shallow' | 'replace';

/** How files are merged, and the result is written. */
export interface MergeOptions extends WriteJsonOptions {
  /** Default `'deep'`. */
  readonly strategy?: MergeStrategy | undefined;
  /** Of arrays in the same place, with `'deep'`: the later one (`'replace'`, default), or both in order. */
  readonly arrays?: 'replace' | 'concat' | undefined;
}

/**
 * Merges JSON and YAML files, by the ends of their names, and writes the result in the form of its own name. Where two have a value for
 * the same key, the later file's counts. The result is made before anything is written, so that it may be one of the files.
 *
 * @throws ContentError for a file that cannot be parsed, for a `__proto__` key, for more than 1000 levels (a YAML alias of itself), and for data that is no object with `'deep'` and `'shallow'`
 * @throws FsError ENOENT for a file that is not there
 */
export async function mergeConfig(
  files: readonly AtomicTarget[],
  out: AtomicTarget,
  options: MergeOptions = {},
): Promise<AtomicWriteResult> {
  const { strategy = 'deep', arrays = 'replace', ...how } = options;
  oneOf('strategy', strategy, ['deep', 'shallow', 'replace'], { verb: 'mergeConfig' });
  oneOf('arrays', arrays, ['replace', 'concat'], { verb: 'mergeConfig' });
  const layers: unknown[] = [];
  const patience = toReplaceHow(how, { verb: 'mergeConfig' });
  for (const file of files) layers.push(await retrying(patience, how.signal, () => readLayer(file, strategy)));
  const merged = await merge(layers, strategy, arrays);
  const held = await holdPatiently(out, 'mergeConfig', how);
  const write = formatOf(held.path) === 'yaml' ? writeYaml : writeJson;
  const { directory, path } = held;
  return await lettingGo([held], held.subject, () => write({ directory, path }, merged, how));
}

async function readLayer(file: AtomicTarget, strategy: MergeStrategy): Promise<unknown> {
  await using held = await holdTarget(file, 'mergeConfig');
  const { data } = await readData(held, formatOf(held.path));
  refuseUnsafe(data, [], held.subject);
  if (strategy !== 'replace' && !isObject(data)) {
    throw refused('the content is no object: only those can be merged', '', held.subject);
  }
  return data;
}

async function merge(layers: readonly unknown[], strategy: MergeStrategy, arrays: string): Promise<unknown> {
  if (strategy === 'replace') return layers.at(-1) ?? {};
  if (strategy === 'shallow') return Object.assign({}, ...layers);
  const { deepmergeCustom } = await import('deepmerge-ts');
  const deepmerge = deepmergeCustom(arrays === 'replace' ? { mergeArrays: false } : {});
  return deepmerge(...layers);
}

/**
 * A `__proto__` key is never meant, and whoever reads the result may not be as careful. Nor is data that no stack is deep enough for: a YAML
 * alias may lead to what it lies in.
 */
function refuseUnsafe(data: unknown, above: readonly string[], subject: ErrorSubject): void {
  if (typeof data !== 'object' || data === null) return;
  if (above.length > DEEPEST) throw refused(`more than ${DEEPEST} levels, or an object in itself`, '', subject);
  for (const key of Object.keys(data)) {
    const here = [...above, key];
    if (key === '__proto__') {
      const pointer = here.map((each) => `/${each.replace(/~/g, '~0').replace(/\//g, '~1')}`).join('');
      throw refused(`'${pointer}' would be taken for a prototype`, pointer, subject);
    }
    refuseUnsafe((data as Record<string, unknown>)[key], here, subject);
  }
}

function refused(why: string, pointer: string, subject: ErrorSubject): ContentError {
  const issues = [{ pointer, message: why }];
  return operationError(ContentError, 'ERR_DIRFD_INVALID_CONTENT', why, subject, undefined, issues);
}

function isObject(data: unknown): data is Record<string, unknown> {
  return typeof data === 'object' && data !== null && !Array.isArray(data);
}
