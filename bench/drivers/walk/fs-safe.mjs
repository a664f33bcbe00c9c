export const name = '@openclaw/fs-safe walkDirectory + lstatSync';
export const peer = '@openclaw/fs-safe';
export const nodeMajor = 22;

export async function load() {
  const { walkDirectory } = await import('@openclaw/fs-safe/walk');
  const { lstatSync } = await import('node:fs');
  return async (root, visit) => {
    const scan = await walkDirectory(root, { symlinks: 'include' });
    if (scan.truncated) throw new Error('the listing was truncated');
    for (const { relativePath } of scan.entries) {
      const { size, mode } = lstatSync(`${root}/${relativePath}`);
      visit(relativePath, size, mode);
    }
  };
}
