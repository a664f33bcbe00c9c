/** The libraries behind globs and gitignore, loaded by the first walk that has use for them: they take longer to load than all of dirfd. */

import { createRequire } from 'node:module';
import type ignoreLibrary from 'ignore';
import type picomatchLibrary from 'picomatch';

// Options are checked synchronously, so no import(): both are CommonJS.
const require = createRequire(import.meta.url);

export const loadPicomatch = (): typeof picomatchLibrary => require('picomatch');
export const loadIgnore = (): typeof ignoreLibrary => require('ignore');
