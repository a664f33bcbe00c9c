/** What keeps a recovery from settling a transaction, in the words in which it is told. */

import { StateError } from '../operation-errors.js';
import type { RootRecord } from './records.js';
import type { Told } from './recover.js';
import { isAmong, isThe, reopenIfThere } from './reopened.js';
import type { Site } from './site.js';

export const COPIED = 'it came here in a copy, or from a backup, that was made in the middle of the transaction';

export function gone({ path }: RootRecord): string {
  return `'${path}' is gone, which took part: some of the transaction may be done, some not`;
}

/** Why a recovery would leave a transaction alone, as far as can be told beforehand. Changes nothing, and makes no file. */
export async function whyLeft(story: Told, site: Site, id: string): Promise<string | undefined> {
  const { state, torn, roots } = story;
  if (state !== 'committed' && state !== 'going-back' && torn?.wasWhole !== true) return undefined;
  if (!isAmong(roots, site)) return COPIED;
  for (const root of roots) {
    if (isThe(root, site)) continue;
    try {
      const other = await reopenIfThere(root, id, false);
      if (other === 'gone') return gone(root);
      await other?.[Symbol.asyncDispose]();
    } catch (error) {
      if (!(error instanceof StateError)) throw error;
      return error.message;
    }
  }
  return undefined;
}
