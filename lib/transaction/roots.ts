/** The roots as the caller names them, and which one a path means. */

import type { Located } from './draft.js';
import type { TransactionPath, TransactionRoots } from './options.js';
import type { TransactionRoot } from './site.js';
import { invalid } from './view.js';

/** The name of an only root is ''. */
export type NamedRoots = readonly (readonly [name: string, root: TransactionRoot])[];

export function rootsOf(roots: TransactionRoots): NamedRoots {
  const isRecord = typeof roots === 'object' && roots !== null && Object.getPrototypeOf(roots) === Object.prototype;
  if (!isRecord) return [['', roots as TransactionRoot]];
  const named = Object.entries(roots as Readonly<Record<string, TransactionRoot>>);
  if (named.length === 0) throw invalid('there is no root', { verb: 'transaction' });
  return named;
}

export function locate(path: TransactionPath, roots: NamedRoots): Located {
  const isNamed = typeof path === 'object' && path !== null && !(path instanceof Uint8Array);
  if (!isNamed) {
    if (roots.length === 1) return { root: 0, path };
    throw invalid('there are several roots: name one, as in { root, path }', { verb: 'transaction', path });
  }
  const root = roots.findIndex(([name]) => name === path.root);
  if (root >= 0) return { root, path: path.path };
  throw invalid(`there is no root '${path.root}'`, { verb: 'transaction', path: path.path });
}

/** For people. */
export function labelOf(roots: NamedRoots): string {
  const labels = roots.map(([, root]) => (root instanceof Object && 'path' in root ? root.path : root));
  return labels.map(String).join(', ');
}
