// A Writer a file, as its users have it; it knows no fsync.
import { join } from 'node:path';
import { Writer } from 'steno';

export async function prepare(place) {
  const writers = new Map();
  return {
    write: (name, text) => {
      if (!writers.has(name)) writers.set(name, new Writer(join(place, name)));
      return writers.get(name).write(text);
    },
  };
}
