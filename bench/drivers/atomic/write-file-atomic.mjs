import { join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { syncDirectory } from './sync-directory.mjs';

export async function prepare(place, level) {
  return {
    write: async (name, text) => {
      await writeFileAtomic(join(place, name), text, { fsync: level !== 'none' });
      if (level === 'full') await syncDirectory(place);
    },
  };
}
