// Where Node's own headers lie on this machine, so that node-gyp need not download them.

import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** The prefix whose include/node holds the headers, or undefined. */
export function findNodedir() {
  const prefixes = [process.env.npm_config_nodedir, resolve(dirname(process.execPath), '..')];
  return prefixes.find((prefix) => prefix && existsSync(join(prefix, 'include/node/node_api.h')));
}
