import { join } from 'node:path';
import { writeFile } from 'atomically';
import { syncDirectory } from './sync-directory.mjs';

export async function prepare(place, level) {
  const fsync = level !== 'none';
  return {
    write: async (name, text) => {
      await writeFile(join(place, name), text, { fsync, fsyncWait: fsync });
      if (level === 'full') await syncDirectory(place);
    },
  };
}
