import { join, relative } from 'node:path';

export const name = 'fs.promises opendir recursive + lstat';

export async function load() {
  const { lstat, opendir } = await import('node:fs/promises');
  return async (root, visit) => {
    for await (const entry of await opendir(root, { recursive: true })) {
      const path = join(entry.parentPath, entry.name);
      const { size, mode } = await lstat(path);
      visit(relative(root, path), size, mode);
    }
  };
}
