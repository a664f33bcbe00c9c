/** Loads the addon, once, and refuses one whose packed layout is not the one this file's neighbours read. */
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { checkLayout } from './layout.js';
const require = createRequire(import.meta.url);
const load = require('node-gyp-build');
/** The package's own folder: prebuilds/ and build/Release/ lie in it. */
const packageRoot = fileURLToPath(new URL('../..', import.meta.url));
export const native = load(packageRoot);
checkLayout(native.layout);
//# sourceMappingURL=load.js.map