// The directory's fsync, for peers that have none.
import { open } from 'node:fs/promises';

export async function syncDirectory(place) {
  const directory = await open(place);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
