export const name = 'fs.promises readdir recursive + lstat';

export async function load() {
  const { lstat, readdir } = await import('node:fs/promises');
  return async (root, visit) => {
    const entries = await readdir(root, { recursive: true, withFileTypes: true });
    await Promise.all(
      entries.map(async (entry) => {
        const path = `${entry.parentPath}/${entry.name}`;
        const { size, mode } = await lstat(path);
        visit(path.slice(root.length + 1), size, mode);
      }),
    );
  };
}
