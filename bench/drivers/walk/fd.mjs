// fd tells names and stats nothing: what it leaves undone is the better part of the others' work.
import { spawnSync } from 'node:child_process';

const installed = (name) => !spawnSync(name, ['--version']).error;
export const tool = installed('fd') ? 'fd' : 'fdfind'; // as Debian calls it

export const name = 'fd (names only)';
export const namesOnly = true;
export const command = (root) => [tool, '--unrestricted', '--base-directory', root];
export const listing = (root) => [...command(root), '--strip-cwd-prefix'];
