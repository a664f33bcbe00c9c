export const name = 'fs-extra copy';
export const peer = 'fs-extra';
export const keeps = 'content';
export const repeats = false;

export async function load() {
  const { default: fsExtra } = await import('fs-extra');
  return (source, destination) => fsExtra.copy(source, destination, { preserveTimestamps: true });
}
