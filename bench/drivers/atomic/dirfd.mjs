import { writeFileAtomic } from '../../../dist/atomic/main.js';
import { DirectoryFd } from '../../../dist/main.js';

export async function prepare(place, durability) {
  const directory = await DirectoryFd.open(place);
  return {
    write: (name, text) => writeFileAtomic(directory, name, text, { durability }),
    end: () => directory.close(),
  };
}
