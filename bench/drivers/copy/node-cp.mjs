export const name = 'fs.promises.cp';
export const keeps = 'content';
export const repeats = false;

export async function load() {
  const { cp } = await import('node:fs/promises');
  return (source, destination) =>
    cp(source, destination, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
}
