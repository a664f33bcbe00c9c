export const name = 'readdirp alwaysStat';
export const peer = 'readdirp';

export async function load() {
  const { readdirp } = await import('readdirp');
  return async (root, visit) => {
    const options = { type: 'all', alwaysStat: true, lstat: true };
    for await (const { path, stats } of readdirp(root, options)) visit(path, stats.size, stats.mode);
  };
}
