export const name = 'klaw';
export const peer = 'klaw';

export async function load() {
  const { default: klaw } = await import('klaw');
  return async (root, visit) => {
    for await (const { path, stats } of klaw(root, { preserveSymlinks: true })) {
      if (path !== root) visit(path.slice(root.length + 1), stats.size, stats.mode);
    }
  };
}
