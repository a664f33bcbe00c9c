/**
 * What `import 'dirfd'` and `require('dirfd')` load: index.js, which see, but one file at a time. The loader of ES modules opens all files of a graph at once,
 * more than a process with `ulimit -n 40` may have; require() reads them one after the other. The modules are the same ones either way.
 */

import { createRequire } from 'node:module';
import type * as Index from './index.js';

const index = createRequire(import.meta.url)('./index.js') as typeof Index;

export const {
  capabilities,
  copyTree,
  DirectoryEntry,
  DirectoryFd,
  diffTree,
  Entry,
  EntryBatch,
  FileFd,
  FsError,
  NamedEntry,
  removeTree,
  Stat,
  verifyTree,
  Walk,
  walk,
} = index;
