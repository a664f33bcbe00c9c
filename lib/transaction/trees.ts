/** What new directories hold once all steps are taken, which undo compares. */

import { isAbsent } from './absent.js';
import type { Base } from './directories.js';
import { treeIn } from './identity.js';
import { toBytes } from './names.js';
import { pathOf, type Step } from './steps.js';

/** What each directory that these steps brought holds by now, where steps have gone into it. */
export async function treesOf(bases: readonly Base[], steps: readonly Step[]): Promise<Record<string, string>> {
  const trees: Record<string, string> = {};
  const inside = new Set(steps.map(({ root, parent }) => `${root} ${parent}`));
  for (const [number, step] of steps.entries()) {
    if ((step.do !== 'attach' && step.do !== 'exchange') || step.moved || step.new.tree === undefined) continue;
    const prefix = `${step.root} ${pathOf(step)}`;
    if (![...inside].some((parent) => parent === prefix || parent.startsWith(`${prefix}/`))) continue;
    try {
      trees[number] = await treeIn(bases[step.root]!.root, toBytes(pathOf(step)));
    } catch (error) {
      // Renamed or removed by somebody since: what it holds is theirs.
      if (!isAbsent(error)) throw error;
    }
  }
  return trees;
}
