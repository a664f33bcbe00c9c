export const name = 'tinyglobby ** + lstatSync';
export const peer = 'tinyglobby';

export async function load() {
  const { glob } = await import('tinyglobby');
  const { lstatSync } = await import('node:fs');
  return async (root, visit) => {
    const options = { cwd: root, dot: true, onlyFiles: false, followSymbolicLinks: false, expandDirectories: false };
    for (const path of await glob('**', options)) {
      const plain = path.endsWith('/') ? path.slice(0, -1) : path;
      if (plain === '' || plain === '.') continue;
      const { size, mode } = lstatSync(`${root}/${plain}`);
      visit(plain, size, mode);
    }
  };
}
