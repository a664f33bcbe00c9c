export const name = 'fast-glob ** stats';
export const peer = 'fast-glob';

export async function load() {
  const { default: fastGlob } = await import('fast-glob');
  return async (root, visit) => {
    const options = { cwd: root, dot: true, onlyFiles: false, followSymbolicLinks: false, stats: true };
    for await (const { path, stats } of fastGlob.stream('**', options)) visit(path, stats.size, stats.mode);
  };
}
