export const name = '@nodelib/fs.walk stats';
export const peer = '@nodelib/fs.walk';

export async function load() {
  const { walkStream } = await import('@nodelib/fs.walk');
  return async (root, visit) => {
    for await (const { path, stats } of walkStream(root, { stats: true })) {
      visit(path.slice(root.length + 1), stats.size, stats.mode);
    }
  };
}
