/** The library behind globs, loaded by the first walk that has use for it: it takes longer to load than all of dirfd. */

import { createRequire } from 'node:module';
import type picomatchLibrary from 'picomatch';

// Options are checked synchronously, so no import(): it is CommonJS.
const require = createRequire(import.meta.url);

export const loadPicomatch = (): typeof picomatchLibrary => require('picomatch');
