// Calls that are younger than the strace that is installed: it can make no fault of them. The subjects then do without them, so that what
// dirfd does in their stead is swept.
import { attempt } from '../fixtures/command.js';

/** By the names of DIRFD_DISABLE: one of the calls each. */
const features: Readonly<Record<string, string>> = { fchmodat2: 'fchmodat2', xattrat: 'setxattrat' };

/** Features whose calls strace does not know. */
export const unknownFeatures: readonly string[] = Object.entries(features)
  .filter(([, call]) => attempt('strace', ['-qq', '-e', `trace=${call}`, 'true']).status !== 0)
  .map(([feature]) => feature);
