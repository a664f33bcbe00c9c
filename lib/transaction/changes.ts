/** Steps as people think of them. */

import type { Kind } from '../dirfd/kind.js';
import { toBytes, toText } from './names.js';
import type { RootRecord } from './records.js';
import { pathOf, type Step } from './steps.js';

/** What a transaction does to one name. */
export interface Change {
  readonly action: 'create' | 'replace' | 'delete' | 'move' | 'chmod';
  readonly kind: Kind;
  /** Relative to the root. */
  readonly path: string;
  /** Exactly, where it is not UTF-8. */
  readonly pathBytes?: Buffer | undefined;
  /** Of a move: where it came from. */
  readonly from?: string | undefined;
  /** Name of the root, where there are several. */
  readonly root?: string | undefined;
}

export function changesOf(steps: readonly Step[], roots: readonly Pick<RootRecord, 'name'>[]): Change[] {
  const origins = new Map<string, string>();
  for (const step of steps) {
    if (step.do === 'detach' && step.moved) origins.set(`${step.root} ${step.slot}`, pathOf(step));
  }
  return steps.flatMap((step): Change[] => {
    const name = roots.length > 1 ? { root: roots[step.root]?.name } : {};
    const place = { ...pathFields(pathOf(step)), ...name };
    if (step.do === 'chmod') return [{ action: 'chmod', kind: step.of.kind, ...place }];
    // A move is told once, where it arrives.
    if (step.do === 'detach') return step.moved ? [] : [{ action: 'delete', kind: step.old.kind, ...place }];
    const { kind } = step.new;
    const from = origins.get(`${step.root} ${step.slot}`);
    if (from !== undefined) return [{ action: 'move', kind, ...place, from: toText(from) }];
    return [{ action: step.do === 'attach' ? 'create' : 'replace', kind, ...place }];
  });
}

function pathFields(path: string): { path: string; pathBytes?: Buffer } {
  const text = toText(path);
  const bytes = toBytes(path);
  return Buffer.from(text).equals(bytes) ? { path: text } : { path: text, pathBytes: bytes };
}
